package audit

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func written(t *testing.T) Log {
	t.Helper()
	l := Log{filepath.Join(t.TempDir(), "state", "audit.jsonl")}
	for _, detail := range []string{"scale the backend to 3", "scale backend to 3 pods", "yes", "ok"} {
		require.NoError(t, l.Add("built-in", Asked, detail))
	}
	return l
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	l := written(t)
	all, err := l.Verify()
	require.NoError(t, err)
	require.Len(t, all, 4)
	assert.Equal(t, "scale the backend to 3", all[0].Detail)
	assert.NotEmpty(t, all[0].Who)
	info, err := os.Stat(l.Path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	none, err := Log{filepath.Join(t.TempDir(), "none")}.Verify()
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestEveryChangeShows(t *testing.T) {
	for what, spoil := range map[string]func(lines []string) []string{
		"line 2 was changed":       func(l []string) []string { l[1] = strings.Replace(l[1], "3 pods", "0 pods", 1); return l },
		"before line 2 something":  func(l []string) []string { return append(l[:1], l[2:]...) },
		"before line 1 something":  func(l []string) []string { return l[1:] },
		"before line 3 something":  func(l []string) []string { return append(l[:2], l[1:]...) },
		"line 3 cannot be read":    func(l []string) []string { l[2] = l[2][:20]; return l },
		"before line 4 something ": func(l []string) []string { l[3] = l[0]; return l },
	} {
		l := written(t)
		raw, err := os.ReadFile(l.Path)
		require.NoError(t, err)
		lines := spoil(strings.Split(strings.TrimSpace(string(raw)), "\n"))
		require.NoError(t, os.WriteFile(l.Path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
		_, err = l.Verify()
		assert.ErrorContains(t, err, strings.TrimSpace(what))
	}
}

func TestWritersTakeTurns(t *testing.T) {
	l := Log{filepath.Join(t.TempDir(), "audit.jsonl")}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { assert.NoError(t, l.Add("a client", Read, "status")) })
	}
	wg.Wait()
	all, err := l.Verify()
	require.NoError(t, err)
	assert.Len(t, all, 20)
}
