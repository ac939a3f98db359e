package ui

import (
	"bytes"
	"errors"
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
