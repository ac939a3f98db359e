package dev

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fixed is a time long before any test.
var fixed = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

func TestTheWatcherTellsOfWhatIsSavedInWhateverWay(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "src/main.py", "a")
	notify, err := fsnotify.NewWatcher()
	require.NoError(t, err)
	defer func() { _ = notify.Close() }()
	w, tr := watcher{notify}, tree{dir: dir}
	_, err = tr.scan(w.add)
	require.NoError(t, err)
	for name, save := range map[string]func(){
		"written": func() { write(t, dir, "src/main.py", "b") },
		"replaced": func() {
			write(t, dir, "tmp", "c")
			require.NoError(t, os.Rename(filepath.Join(dir, "tmp"), filepath.Join(dir, "src/main.py")))
		},
		"in a new folder": func() { write(t, dir, "src/new/a.py", "a") },
	} {
		save()
		for {
			began, err := w.next(t.Context())
			require.NoError(t, err)
			assert.Less(t, time.Since(began), time.Minute)
			if changed, err := tr.scan(w.add); assert.NoError(t, err) && len(changed) > 0 {
				break
			}
		}
		t.Log(name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for err == nil {
		_, err = w.next(ctx)
	}
	assert.ErrorIs(t, err, context.Canceled)
}
