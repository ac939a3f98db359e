package dev

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long nothing may happen before what was saved is taken for whole: an editor writes in several steps.
	quiet = 15 * time.Millisecond
	// patience is how long is waited for that at most.
	patience = 200 * time.Millisecond
)

// watcher tells that something happened in folders. What it was, a scan finds out.
type watcher struct {
	*fsnotify.Watcher
}

// add has a folder watched, which may be already. One that cannot be, as it has gone, is found by the next scan.
func (w watcher) add(folder string) { _ = w.Add(folder) }

// next waits until something happened and nothing does any more, and gives when it began.
func (w watcher) next(ctx context.Context) (began time.Time, err error) {
	select {
	case <-ctx.Done():
		return began, ctx.Err()
	case err := <-w.Errors: // events were lost: what they were about, a scan sees all the same
		if err == nil {
			return began, context.Canceled
		}
	case <-w.Events:
	}
	began = time.Now()
	end := time.After(patience)
	for {
		select {
		case <-ctx.Done():
			return began, ctx.Err()
		case <-w.Events:
		case <-time.After(quiet):
			return began, nil
		case <-end:
			return began, nil
		}
	}
}
