package dev

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"todo.local/magefiles/internal/image"
)

// unsettled is how long a file's time may not tell one save from the next.
const unsettled = 100 * time.Millisecond

// tree is a folder as far as the name of the image covers it that is built from it.
type tree struct {
	dir   string
	files map[string]file // by the path below dir
}

// file is one of them as it was read last.
type file struct {
	sum     string
	size    int64
	changed time.Time
	settled bool // whether its time and size tell that it has not changed
}

// scan brings the tree up to date and gives the paths of what changed: files that are new, other, or gone. Every folder
// that is a part of the tree is given to folder.
func (t *tree) scan(folder func(path string)) (changed []string, err error) {
	now := map[string]file{}
	folder(t.dir)
	err = image.Covered(t.dir, func(name, rel string, d fs.DirEntry) error {
		if d.IsDir() {
			folder(name)
			return nil
		}
		f, err := look(name, t.files[rel])
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has gone this moment, or is a link to nothing
			return nil
		case err != nil:
			return err
		}
		if f.sum != "" {
			now[rel] = f
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for rel, f := range now {
		if f.sum != t.files[rel].sum {
			changed = append(changed, rel)
		}
	}
	for rel := range t.files {
		if _, there := now[rel]; !there {
			changed = append(changed, rel)
		}
	}
	t.files = now
	slices.Sort(changed)
	return changed, nil
}

// look reads a file where it may have changed since it was seen last. What is no file has no sum.
func look(name string, before file) (file, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return file{}, err
	}
	if before.settled && before.size == info.Size() && before.changed.Equal(info.ModTime()) {
		return before, nil
	}
	raw, err := os.ReadFile(name)
	return file{sum: digest(raw), size: info.Size(), changed: info.ModTime(), settled: time.Since(info.ModTime()) > unsettled}, err
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// within gives those of the paths that are one of some files and folders, or below one.
func within(paths, of []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		return !slices.ContainsFunc(of, func(top string) bool { return p == top || strings.HasPrefix(p, top+"/") || top == "." })
	})
}

// read gives the content of a file of the tree, and false where it has gone.
func (t *tree) read(rel string) ([]byte, bool) {
	raw, err := os.ReadFile(filepath.Join(t.dir, filepath.FromSlash(path.Clean(rel))))
	return raw, err == nil
}
