package scratch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// store keeps what was built, one folder a thing: <dir>/<kind>/<name>-<key>. A folder appears whole or not at all, and
// its manifest tells whether it is still what was built.
type store struct{ dir string }

// programsKind is the kind of what is built from source; a whole engine's data is another.
const programsKind = "programs"

const manifestName = "manifest.json"

// manifest lists the files of one folder.
type manifest struct {
	Files []fileEntry `json:"files"`
}

type fileEntry struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	MTime  int64  `json:"mtime"` // nanoseconds since 1970
	SHA256 string `json:"sha256"`
}

// path is the folder of a program.
func (s store) path(name, key string) string { return filepath.Join(s.dir, programsKind, name+"-"+key) }

// get gives the folder of a program. Where it is missing or damaged it has build fill a new one; another run that
// builds the same is waited for.
func (s store) get(ctx context.Context, t *ui.Task, name, key string, build func(dir string) error) (dir string, built bool, err error) {
	dir = s.path(name, key)
	if verify(dir, false) == nil {
		return dir, false, nil
	}
	unlock, err := s.lock(ctx, t, programsKind+"-"+name)
	if err != nil {
		return "", false, err
	}
	defer unlock()
	switch err := verify(dir, false); {
	case err == nil:
		return dir, false, nil // the other run has built it
	case !errors.Is(err, fs.ErrNotExist):
		t.Note("the cached %s is damaged (%v); it is built again", name, err)
	}

	partial := dir + ".partial"
	if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(partial), os.MkdirAll(partial, 0o755)); err != nil {
		return "", false, cacheFault(err)
	}
	if err := build(partial); err != nil {
		return "", false, err
	}
	if err := seal(partial); err != nil {
		return "", false, cacheFault(err)
	}
	if err := os.Rename(partial, dir); err != nil {
		return "", false, cacheFault(err)
	}
	return dir, true, nil
}

// seal writes the manifest of a finished folder.
func seal(dir string) error {
	var m manifest
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sum, err := sumFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		m.Files = append(m.Files, fileEntry{rel, info.Size(), info.ModTime().UnixNano(), sum})
		return err
	})
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestName), raw, 0o644)
}

// verify tells whether a folder is what was sealed, by size and time of every file, or by their content where deep. Its
// error is fs.ErrNotExist only where there is no folder at all.
func verify(dir string, deep bool) error {
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	damaged := func(path, what string) error { return fmt.Errorf("%s: %s", path, what) }
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return damaged(manifestName, "missing")
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil || len(m.Files) == 0 {
		return damaged(manifestName, "unreadable")
	}
	for _, f := range m.Files {
		path := filepath.Join(dir, f.Path)
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			return damaged(f.Path, "missing")
		case info.Size() != f.Size:
			return damaged(f.Path, fmt.Sprintf("%d bytes instead of %d", info.Size(), f.Size))
		case info.ModTime().UnixNano() != f.MTime:
			return damaged(f.Path, "changed")
		}
		if deep {
			if sum, err := sumFile(path); err != nil || sum != f.SHA256 {
				return damaged(f.Path, "its content is not what was built")
			}
		}
	}
	return nil
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// lockPause lies between two looks at whether another run has ended.
const lockPause = 200 * time.Millisecond

// lock waits until no other run of this machine holds the name. The lock goes with the process, however that ends.
func (s store) lock(ctx context.Context, t *ui.Task, name string) (unlock func(), err error) {
	dir := filepath.Join(s.dir, "locks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, cacheFault(err)
	}
	held := flock.New(filepath.Join(dir, name), flock.SetPermissions(0o644))
	unlock = func() { _ = held.Close() }
	got, err := held.TryLock()
	if err == nil && !got {
		t.Status("waiting for %s, which is being built already", name)
		_, err = held.TryLockContext(ctx, lockPause)
	}
	switch {
	case err == nil:
		return unlock, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	default:
		err = cacheFault(err)
	}
	unlock()
	return nil, err
}

// temp gives a folder for passing things. Folders whose process is gone, killed before it could tidy up, are removed
// first.
func (s store) temp(what string) (dir string, remove func(), err error) {
	parent := filepath.Join(s.dir, "tmp")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", nil, cacheFault(err)
	}
	entries, _ := os.ReadDir(parent)
	for _, e := range entries {
		pid, err := strconv.Atoi(strings.SplitN(e.Name(), "-", 2)[0])
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(filepath.Join(parent, e.Name()))
		}
	}
	dir, err = os.MkdirTemp(parent, fmt.Sprintf("%d-%s-", os.Getpid(), what))
	if err != nil {
		return "", nil, cacheFault(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

func cacheFault(err error) error {
	remedy := "see that the folder is writable, or set TODO_CACHE to another one"
	if errors.Is(err, syscall.ENOSPC) {
		remedy = "free some space, or set TODO_CACHE to a folder on another disk"
	}
	return fault.Wrap(err, fault.CodeEnvironment, "the cache folder cannot be written", remedy)
}

// unusedFor is how long a thing is kept that no run has asked for. Other checkouts, with other pins, use the same
// cache: a look at this one's pins does not tell what is superseded.
const unusedFor = 30 * 24 * time.Hour

// touch marks a thing as in use.
func (s store) touch(kind, name, key string) {
	now := time.Now()
	_ = os.Chtimes(filepath.Join(s.dir, kind, name+"-"+key), now, now) // there may be none yet; or it is not ours to mark, and so not to remove
}

// prune removes what nobody has used for long, finished or not.
func (s store) prune(kind string) (removed []string) {
	dir := filepath.Join(s.dir, kind)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) > unusedFor && os.RemoveAll(filepath.Join(dir, e.Name())) == nil {
			removed = append(removed, e.Name())
		}
	}
	return removed
}
