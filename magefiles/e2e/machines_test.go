//go:build e2e || soak

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/config"
)

// hold makes a run elsewhere the holder of the release's lease, or nobody.
func (d *deployment) hold(t *testing.T, holder string) {
	t.Helper()
	leases := d.client.CoordinationV1().Leases(d.cfg.Namespace)
	lease, err := leases.Get(t.Context(), config.ReleaseName+"-deploy", metav1.GetOptions{})
	require.NoError(t, err)
	now, seconds := metav1.NowMicro(), int32(600)
	lease.Annotations = nil
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = &holder, &seconds
	lease.Spec.AcquireTime, lease.Spec.RenewTime = &now, &now
	_, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// transcript is what a target says, line by line, with the time of each.
type transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	lines []time.Time
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range strings.Count(string(p), "\n") {
		w.lines = append(w.lines, time.Now())
	}
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// when is the time of the last line that matches.
func (w *transcript) when(t *testing.T, pattern string) time.Time {
	t.Helper()
	lines := strings.Split(w.String(), "\n")
	for n, line := range slices.Backward(lines[:len(lines)-1]) {
		if regexp.MustCompile(pattern).MatchString(line) {
			return w.lines[n]
		}
	}
	require.Fail(t, "no line matches "+pattern)
	return time.Time{}
}

// otherCache holds what was built, as the cache of the machine does, and no locks of the machine's.
func otherCache(t *testing.T, cache string) string {
	t.Helper()
	other := t.TempDir()
	clusters := filepath.Join(other, "clusters")
	require.NoError(t, os.Mkdir(clusters, 0o755))
	for _, pattern := range []string{"*", "clusters/*"} {
		found, err := filepath.Glob(filepath.Join(cache, pattern))
		require.NoError(t, err)
		for _, path := range found {
			name, err := filepath.Rel(cache, path)
			require.NoError(t, err)
			if name != "clusters" && !strings.HasSuffix(name, ".lock") {
				require.NoError(t, os.Symlink(path, filepath.Join(other, name)))
			}
		}
	}
	return other
}

// machines deploys two versions at once, each as from a machine of its own: nothing but the lease in the cluster keeps
// one from changing the release while the other checks it.
func machines(t *testing.T, project checkout) {
	d := running(t)
	before := d.revision(t)
	d.hold(t, "elsewhere:4711") // until both are there
	var checkouts [2]checkout
	var said [2]transcript
	var runs [2]*exec.Cmd
	for i := range runs {
		checkouts[i] = copyOf(t, project)
		appendTo(t, checkouts[i], "backend/src/main.py", fmt.Sprintf("\n# from machine %d\n", i+1))
		runs[i] = checkouts[i].command(t.Context(), &said[i], []string{"TODO_CACHE=" + otherCache(t, d.cfg.Cache)}, "deploy")
		require.NoError(t, runs[i].Start())
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for i := range said {
			assert.Regexp(c, `another run \(elsewhere:4711\) works on the release, for \S+ by now; waiting for it`, said[i].String())
		}
	}, 5*time.Minute, 200*time.Millisecond)
	d.hold(t, "")
	for i, r := range runs {
		err := r.Wait()
		t.Logf("deploy from machine %d:\n%s", i+1, said[i].String())
		require.NoError(t, err)
	}

	const released = `Application › release: revision \d+`
	first, second := 0, 1
	if said[1].when(t, released).Before(said[0].when(t, released)) {
		first, second = 1, 0
	}
	assert.Contains(t, said[second].String(), fmt.Sprintf(":%d:", runs[first].Process.Pid), "it says for whom it waits")
	for _, check := range []string{"smoke test", "new backend"} {
		assert.True(t, said[first].when(t, "Application › "+check).Before(said[second].when(t, released)), "%s of one after the release of the other", check)
	}
	history, err := d.helm.History(t.Context(), config.ReleaseName)
	require.NoError(t, err)
	last := history[len(history)-2:]
	for i, r := range last {
		assert.Equal(t, before+1+i, r.Revision)
		assert.True(t, r.Verified, "revision %d", r.Revision)
	}
	r := checkouts[second].mage(t, nil, "release:diff")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "deploy would change nothing")
	require.Zero(t, project.mage(t, nil, "deploy").code)
}
