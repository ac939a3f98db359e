//go:build e2e || soak

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
)

// killed ends deploys with SIGKILL at random moments, spread over their whole length, and expects the next deploy to
// come through every time. Some of the changes are built, moved, released and rolled out; the others go between two
// versions that are built and moved already, so that more of the moments are in the release.
func killed(t *testing.T, project checkout, building, releasing int) {
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("TODO_E2E_SEED"); given != "" { // to have the moments of another run again
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("TODO_E2E_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	changing := copyOf(t, project)
	lines := 0
	another := func() checkout {
		lines++
		appendTo(t, changing, "backend/src/main.py", fmt.Sprintf("\n# killed %d\n", lines))
		return changing
	}
	built := []checkout{copyOf(t, project), project}
	appendTo(t, built[0], "backend/src/main.py", "\n# the other version\n")
	turn := 0
	other := func() checkout {
		turn++
		return built[turn%2]
	}

	// How long each takes that is left in peace; then the moments, of which every part of that time has one.
	whole := map[bool]time.Duration{}
	require.Zero(t, built[0].mage(t, nil, "deploy").code)
	for _, builds := range []bool{true, false} {
		c := other()
		if builds {
			c = another()
		}
		r := c.mage(t, nil, "deploy")
		require.Zero(t, r.code)
		whole[builds] = r.took
	}
	type moment struct {
		builds bool
		after  time.Duration
	}
	var moments []moment
	spread := func(builds bool, n int) {
		for i := range n {
			part := (float64(i) + random.Float64()) / float64(n)
			moments = append(moments, moment{builds, time.Duration(part * 0.9 * float64(whole[builds]))})
		}
	}
	spread(true, building)
	spread(false, releasing)
	random.Shuffle(len(moments), func(i, j int) { moments[i], moments[j] = moments[j], moments[i] })

	for n, m := range moments {
		c := other
		if m.builds {
			c = another
		}
		// A deploy that ends before its time, as a machine is faster now and then, is no kill: it gets an earlier one.
		for after := m.after; ; after = after * 3 / 4 {
			checkout := c()
			if kill(t, checkout, after) {
				r := checkout.mage(t, nil, "deploy")
				require.Zero(t, r.code, "the deploy after kill %d of %d, %s into the one before", n+1, len(moments), after)
				break
			}
		}
	}
	d := running(t)
	history, err := d.helm.History(t.Context(), config.ReleaseName)
	require.NoError(t, err)
	for _, r := range history {
		assert.NotContains(t, r.Status, "pending")
	}
	require.Zero(t, project.mage(t, nil, "deploy").code)
}

// kill ends a deploy after a time, and tells whether it still ran then. What it had started is left to itself, as after
// any SIGKILL.
func kill(t *testing.T, c checkout, after time.Duration) bool {
	t.Helper()
	var out bytes.Buffer
	cmd := c.command(t.Context(), &out, nil, "deploy")
	require.NoError(t, cmd.Start())
	time.Sleep(after)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
	_ = cmd.Wait()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	last := strings.TrimSpace(out.String())
	t.Logf("after %.2f s: %s; killed: %t", after.Seconds(), last[strings.LastIndexByte(last, '\n')+1:], status.Signaled())
	return status.Signaled()
}

// together deploys from two checkouts at once, and beside a run on another machine.
func together(t *testing.T, project checkout) {
	first, second := copyOf(t, project), copyOf(t, project)
	appendTo(t, first, "backend/src/main.py", "\n# the first of two\n")
	appendTo(t, second, "backend/src/main.py", "\n# the second of two\n")
	var said [2]bytes.Buffer
	var runs [2]*exec.Cmd
	for i, c := range []checkout{first, second} {
		runs[i] = c.command(t.Context(), &said[i], nil, "deploy")
		require.NoError(t, runs[i].Start())
		time.Sleep(time.Second) // who comes first is known, then
	}
	for i, r := range runs {
		err := r.Wait()
		t.Logf("deploy %d:\n%s", i+1, said[i].String())
		require.NoError(t, err)
	}
	assert.Contains(t, said[1].String(), fmt.Sprintf("another run works on cluster %s (process %d since", settings(t).ClusterName, runs[0].Process.Pid))
	assert.NotContains(t, said[0].String(), "another run")
	r := second.mage(t, nil, "release:diff")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "deploy would change nothing", "the second came last")

	d := running(t)
	d.hold(t, "elsewhere:4711")
	var out bytes.Buffer
	waiting := project.command(t.Context(), &out, nil, "deploy")
	require.NoError(t, waiting.Start())
	time.Sleep(8 * time.Second)
	image := d.image(t, "todo-backend")
	d.hold(t, "")
	require.NoError(t, waiting.Wait())
	t.Logf("deploy beside another machine:\n%s", out.String())
	assert.Regexp(t, `another run \(elsewhere:4711\) works on the release, for \S+ by now; waiting for it`, out.String())
	assert.NotEqual(t, image, d.image(t, "todo-backend"), "it went on when the other had ended")
}
