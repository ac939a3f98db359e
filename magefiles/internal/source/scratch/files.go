package scratch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var sandboxLine = regexp.MustCompile(`(?m)^(\s*sandbox_image = )".*"$`)

// kindFiles copies the files that kind lays over its node's Debian, with the modes that its Dockerfile gives them, and
// has containerd use the pause image that is there.
func kindFiles(from, to, sandbox string) error {
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if dir := filepath.Dir(rel); strings.HasSuffix(dir, "/bin") {
			mode = 0o755
		}
		return writeFile(filepath.Join(to, rel), raw, mode)
	})
	if err != nil {
		return err
	}
	config := filepath.Join(to, "etc", "containerd", "config.toml")
	raw, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	if !sandboxLine.Match(raw) {
		return fmt.Errorf("etc/containerd/config.toml names no sandbox_image")
	}
	return writeFile(config, sandboxLine.ReplaceAll(raw, []byte(`${1}"`+sandbox+`"`)), 0o644)
}

// writeFile writes a file and the folders above it. The mode is exact, whatever the umask.
func writeFile(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// link puts a program into a build context without a copy of it, where the file system allows.
func link(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if os.Link(from, to) == nil {
		return nil
	}
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// openFolders gives every folder of a build context the usual mode, whatever the umask: they land on folders of the
// image.
func openFolders(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o755)
	})
}
