package scratch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// fill is a build that leaves one file and counts how often it ran.
func fill(count *int, text string) func(string) error {
	return func(dir string) error {
		*count++
		return os.WriteFile(filepath.Join(dir, "program"), []byte(text), 0o755)
	}
}

func TestAThingIsBuiltOnce(t *testing.T) {
	s, count := store{t.TempDir()}, 0
	dir, built, err := s.get(t.Context(), nil, "etcd", "k1", fill(&count, "x"))
	require.NoError(t, err)
	assert.True(t, built)
	again, built, err := s.get(t.Context(), nil, "etcd", "k1", fill(&count, "x"))
	require.NoError(t, err)
	assert.False(t, built)
	assert.Equal(t, dir, again)
	assert.Equal(t, 1, count)

	_, built, err = s.get(t.Context(), nil, "etcd", "k2", fill(&count, "x"))
	require.NoError(t, err)
	assert.True(t, built, "another key is another thing")
}

func TestDamageIsNoticedAndRepairedWithAWord(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, file string){
		"truncated": func(t *testing.T, f string) { require.NoError(t, os.Truncate(f, 3)) },
		"missing":   func(t *testing.T, f string) { require.NoError(t, os.Remove(f)) },
		"touched":   func(t *testing.T, f string) { require.NoError(t, os.Chtimes(f, time.Time{}, time.Unix(1, 0))) },
		"manifest": func(t *testing.T, f string) {
			require.NoError(t, os.Truncate(filepath.Join(filepath.Dir(f), manifestName), 5))
		},
		"no manifest": func(t *testing.T, f string) {
			require.NoError(t, os.Remove(filepath.Join(filepath.Dir(f), manifestName)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, count := store{t.TempDir()}, 0
			dir, _, err := s.get(t.Context(), nil, "etcd", "k", fill(&count, "program text"))
			require.NoError(t, err)
			damage(t, filepath.Join(dir, "program"))

			var out bytes.Buffer
			require.NoError(t, ui.Plain(&out).Do("x", func(task *ui.Task) error {
				_, built, err := s.get(t.Context(), task, "etcd", "k", fill(&count, "program text"))
				assert.True(t, built)
				return err
			}))
			assert.Equal(t, 2, count)
			assert.Contains(t, out.String(), "the cached etcd is damaged")
			require.NoError(t, verify(dir, true))
		})
	}
}

func TestAFlippedByteOfTheSameSizeAndTimeIsFoundByTheDeepCheckOnly(t *testing.T) {
	s, count := store{t.TempDir()}, 0
	dir, _, err := s.get(t.Context(), nil, "etcd", "k", fill(&count, "abc"))
	require.NoError(t, err)
	file := filepath.Join(dir, "program")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte("abd"), 0o755))
	require.NoError(t, os.Chtimes(file, time.Time{}, info.ModTime()))
	require.NoError(t, verify(dir, false))
	require.ErrorContains(t, verify(dir, true), "its content is not what was built")
}

func TestAnInterruptedBuildLeavesNothingThatLooksFinished(t *testing.T) {
	s, count := store{t.TempDir()}, 0
	_, _, err := s.get(t.Context(), nil, "etcd", "k", func(dir string) error {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "half"), nil, 0o644))
		return context.Canceled
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.NoDirExists(t, filepath.Join(s.dir, programsKind, "etcd-k"))

	dir, built, err := s.get(t.Context(), nil, "etcd", "k", fill(&count, "x"))
	require.NoError(t, err)
	assert.True(t, built)
	assert.NoFileExists(t, filepath.Join(dir, "half"), "what the interrupted build left is gone")
}

func TestTwoRunsDoNotBuildTheSame(t *testing.T) {
	s, count := store{t.TempDir()}, 0
	started, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		_, _, err := s.get(context.Background(), nil, "etcd", "k", func(dir string) error {
			close(started)
			<-release
			return fill(&count, "x")(dir)
		})
		first <- err
	}()
	<-started
	// A second open file is what a second process has.
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	_, _, err := s.get(ctx, nil, "etcd", "k", fill(&count, "x"))
	require.ErrorIs(t, err, context.DeadlineExceeded, "it waits, and gives up with its context")

	second := make(chan bool, 1)
	go func() {
		_, built, _ := s.get(context.Background(), nil, "etcd", "k", fill(&count, "x"))
		second <- built
	}()
	close(release)
	require.NoError(t, <-first)
	assert.False(t, <-second, "the first run's work is used")
	assert.Equal(t, 1, count)
}

func TestTempFoldersOfDeadProcessesAreRemoved(t *testing.T) {
	s := store{t.TempDir()}
	dead := filepath.Join(s.dir, "tmp", "4194305-build-etcd-1") // above the kernel's highest process number
	alive := filepath.Join(s.dir, "tmp", "1-build-etcd-1")
	require.NoError(t, errors.Join(os.MkdirAll(dead, 0o755), os.MkdirAll(alive, 0o755)))
	dir, remove, err := s.temp("x")
	require.NoError(t, err)
	assert.NoDirExists(t, dead)
	assert.DirExists(t, alive)
	remove()
	assert.NoDirExists(t, dir)
}

func TestWhatNobodyHasUsedForAMonthIsRemoved(t *testing.T) {
	s, count := store{t.TempDir()}, 0
	for _, key := range []string{"used", "unused", "recent"} {
		_, _, err := s.get(t.Context(), nil, "etcd", key, fill(&count, "x"))
		require.NoError(t, err)
	}
	halfDone := filepath.Join(s.dir, programsKind, "etcd-old.partial")
	require.NoError(t, os.Mkdir(halfDone, 0o755))
	long := time.Now().Add(-unusedFor - time.Hour)
	for _, dir := range []string{"etcd-used", "etcd-unused", "etcd-old.partial"} {
		require.NoError(t, os.Chtimes(filepath.Join(s.dir, programsKind, dir), long, long))
	}
	s.touch(programsKind, "etcd", "used")
	s.touch(programsKind, "etcd", "never built")
	assert.ElementsMatch(t, []string{"etcd-unused", "etcd-old.partial"}, s.prune(programsKind))
	_, built, err := s.get(t.Context(), nil, "etcd", "used", fill(&count, "x"))
	require.NoError(t, err)
	assert.False(t, built, "a mark of use is no damage")
	assert.DirExists(t, filepath.Join(s.dir, programsKind, "etcd-recent"))
	assert.Empty(t, store{t.TempDir()}.prune(programsKind))
}

func TestAFullDiskSaysWhatToDo(t *testing.T) {
	err := cacheFault(&os.PathError{Op: "write", Path: "/cache/x", Err: syscall.ENOSPC})
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.Contains(t, fault.Remedy(err), "TODO_CACHE")
	assert.Contains(t, fault.Remedy(err), "free some space")
	require.NoError(t, cacheFault(nil))
}
