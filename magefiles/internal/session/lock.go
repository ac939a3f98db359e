package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"todo.local/magefiles/internal/fault"
)

const (
	// lockPatience is how long a run waits for another one on the same cluster.
	lockPatience = 10 * time.Minute
	// lockPause lies between two looks at whether the other run has ended.
	lockPause = 200 * time.Millisecond
)

// Exclusively runs work while no other run of this machine changes the same cluster. The system gives the lock back
// when a process ends in whatever way, so none can be left behind.
func (s Session) Exclusively(ctx context.Context, work func() error) error {
	path := filepath.Join(s.Config.Cache, "clusters", s.Config.ClusterName+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return lockFault(err)
	}
	lock := flock.New(path, flock.SetPermissions(0o644))
	defer func() { _ = lock.Close() }()
	if err := s.acquire(ctx, lock); err != nil {
		return err
	}
	// What is written is for people who wait; the lock itself is the kernel's.
	_ = os.WriteFile(path, fmt.Appendf(nil, "process %d since %s", os.Getpid(), time.Now().Format(time.TimeOnly)), 0o644)
	return work()
}

func (s Session) acquire(ctx context.Context, lock *flock.Flock) error {
	got, err := lock.TryLock()
	if got || err != nil {
		return lockFault(err)
	}
	holder := func() string {
		raw, _ := os.ReadFile(lock.Path())
		return strings.TrimSpace(string(raw))
	}
	s.UI.Printf("! another run works on cluster %s (%s); waiting for it\n", s.Config.ClusterName, holder())
	patient, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	_, err = lock.TryLockContext(patient, lockPause)
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.CodeFailed, fmt.Sprintf("another run has worked on cluster %s for more than %s (%s)", s.Config.ClusterName, lockPatience, holder()),
			"wait for it or end it")
	}
	return lockFault(err)
}

func lockFault(err error) error {
	return fault.Wrap(err, fault.CodeEnvironment, "the cache folder cannot be written", "set TODO_CACHE to a folder that can be")
}
