package ui

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlainLinesNameTheWholePath(t *testing.T) {
	var out bytes.Buffer
	err := Plain(&out).Do("Images", func(t *Task) error {
		return t.Do("backend", func(t *Task) error {
			t.Result("todo-backend:1234")
			return nil
		})
	})
	require.NoError(t, err)
	assert.Regexp(t, `\[ +\d+\.\ds\] ✓ Images › backend: todo-backend:1234 \(\d\.\ds\)`, out.String())
	assert.NotContains(t, out.String(), "\x1b", "no control characters where the output is no terminal")
}

func TestChangedIsFalseOnlyWhereEveryPartWasUnchanged(t *testing.T) {
	u := Plain(&bytes.Buffer{})
	var top *Task
	unchanged := func(t *Task) error { t.Unchanged("there already"); return nil }
	worked := func(t *Task) error { t.Result("done"); return nil }

	_ = u.Do("a", func(t *Task) error { top = t; return errors.Join(t.Do("x", unchanged), t.Do("y", unchanged)) })
	assert.False(t, top.Changed())
	_ = u.Do("b", func(t *Task) error { top = t; return errors.Join(t.Do("x", unchanged), t.Do("y", worked)) })
	assert.True(t, top.Changed())
}

func TestNilTaskIsSilent(t *testing.T) {
	var task *Task
	task.Status("x")
	task.Note("y")
	task.Result("z")
	assert.EqualError(t, task.Do("part", func(*Task) error { return errors.New("through") }), "through")
}

func TestLiveTreeRedrawsOnlyItsOwnLines(t *testing.T) {
	var out bytes.Buffer
	u := &UI{out: &out}
	u.live = newScreen(u, func() (int, int) { return 60, 10 })
	require.NoError(t, u.Do("Cluster", func(task *Task) error {
		task.Status("a status that is far too long for a terminal of sixty columns, and so is clipped")
		u.mu.Lock()
		u.live.draw()
		assert.Equal(t, 1, u.live.drawn)
		u.mu.Unlock()
		u.Printf("a line that stays\n")
		return nil
	}))
	u.Close()
	assert.Contains(t, out.String(), "\x1b[1A\x1b[Ja line that stays\n")
	assert.Contains(t, out.String(), "…")
	assert.Contains(t, out.String(), "✓ Cluster")
}

func TestGitHubActionsFoldsWhatThePartsOfAStageSay(t *testing.T) {
	var out bytes.Buffer
	u := Plain(&out)
	u.fold = &fold{out: &out}
	ok := func(*Task) error { return nil }
	_ = u.Do("Machine", ok)
	_ = u.Do("Cluster", func(cluster *Task) error {
		_ = cluster.Do("node", func(node *Task) error { return node.Do("programs", ok) })
		_ = cluster.Do("addons", ok)
		_ = u.Do("Images", func(images *Task) error { return images.Do("backend", ok) }) // beside it
		cluster.Note("a word to the user")
		return cluster.Do("broken", func(*Task) error { return errors.New("x") })
	})
	u.Close()
	var got []string
	for line := range strings.Lines(out.String()) {
		line = regexp.MustCompile(`^\[ *[\d.]+s\] | \([\d.]+s\)`).ReplaceAllString(strings.TrimSpace(line), "")
		got = append(got, line)
	}
	assert.Equal(t, []string{
		"✓ Machine",
		"::group::Cluster", "✓ Cluster › node › programs", "✓ Cluster › node", "✓ Cluster › addons", "::endgroup::",
		"::group::Images", "✓ Images › backend", "::endgroup::", "✓ Images",
		"! a word to the user",
		"✗ Cluster › broken", "✗ Cluster",
	}, got)
}

func TestAnOpenGroupIsClosedAtTheEnd(t *testing.T) {
	var out bytes.Buffer
	u := Plain(&out)
	u.fold = &fold{out: &out}
	_ = u.Do("Cluster", func(cluster *Task) error {
		_ = cluster.Do("node", func(*Task) error { return nil })
		u.Close() // as on an interrupt
		return nil
	})
	assert.Contains(t, out.String(), "::endgroup::\n")
}

// terminal opens a pseudo-terminal, for what New decides by the kind of its output.
func terminal(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal to be had here: %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestWhatTheEnvironmentSaysOfTheOutputIsHonoured(t *testing.T) {
	type looks struct{ live, colour, folded bool }
	for _, x := range []struct {
		name string
		env  map[string]string
		tty  bool
		want looks
	}{
		{"a terminal", nil, true, looks{live: true, colour: true}},
		{"a terminal without colours", map[string]string{"NO_COLOR": "1"}, true, looks{live: true}},
		{"a terminal that can do nothing", map[string]string{"TERM": "dumb"}, true, looks{}},
		{"a terminal in CI", map[string]string{"CI": "true"}, true, looks{}},
		{"a pipe", nil, false, looks{}},
		{"GitHub Actions", map[string]string{"CI": "true", "GITHUB_ACTIONS": "true"}, false, looks{folded: true}},
	} {
		t.Run(x.name, func(t *testing.T) {
			for _, name := range []string{"CI", "NO_COLOR", "GITHUB_ACTIONS"} {
				t.Setenv(name, x.env[name])
			}
			t.Setenv("TERM", "xterm")
			if x.env["TERM"] != "" {
				t.Setenv("TERM", x.env["TERM"])
			}
			_, out, err := os.Pipe()
			require.NoError(t, err)
			if x.tty {
				out = terminal(t)
			}
			u := New(out)
			assert.Equal(t, x.want, looks{u.live != nil, u.style.colour, u.fold != nil})
			if !x.want.colour {
				assert.Equal(t, "✓", u.Paint(Green, "✓"))
			}
		})
	}
}
