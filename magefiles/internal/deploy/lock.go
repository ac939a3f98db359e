package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"todo.local/magefiles/internal/fault"
)

// lockPatience is how long a run waits for another one on the same cluster.
const lockPatience = 10 * time.Minute

// exclusively runs work while no other run of this machine changes the same cluster. The system gives the lock back when a process ends in
// whatever way, so none can be left behind.
func (a *App) exclusively(ctx context.Context, work func() error) error {
	path := filepath.Join(a.cfg.Cache, "clusters", a.cfg.ClusterName+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.Wrap(err, fault.CodeEnvironment, "the cache folder cannot be written", "set TODO_CACHE to a folder that can be")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fault.Wrap(err, fault.CodeEnvironment, "the cache folder cannot be written", "set TODO_CACHE to a folder that can be")
	}
	defer f.Close()
	if err := a.acquire(ctx, f); err != nil {
		return err
	}
	// What is written is for people who wait; the lock itself is the kernel's.
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "process %d since %s", os.Getpid(), time.Now().Format(time.TimeOnly)), 0)
	return work()
}

func (a *App) acquire(ctx context.Context, f *os.File) error {
	said := false
	for deadline := time.Now().Add(lockPatience); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		raw, _ := os.ReadFile(f.Name())
		holder := strings.TrimSpace(string(raw))
		if !said {
			said = true
			a.ui.Printf("! another run works on cluster %s (%s); waiting for it\n", a.cfg.ClusterName, holder)
		}
		if time.Now().After(deadline) {
			return fault.New(fault.CodeFailed, fmt.Sprintf("another run has worked on cluster %s for more than %s (%s)", a.cfg.ClusterName, lockPatience, holder),
				"wait for it or end it")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
