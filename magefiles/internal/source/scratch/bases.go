package scratch

import (
	"context"
	"embed"
	"errors"
	"os"
	"path/filepath"

	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
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

// label marks images that this project made, so that a person finds them: docker images --filter
// label=todo.local/source.
const label = "todo.local/source"

func (s *Source) debianImage() image {
	return image{"todo-base-debian", s.pins.Debian.Suite, hash(s.pins.Debian, debianArgs, arch)}
}

func (s *Source) baseImages() (python, node, postgres image) {
	debian := s.debianImage().key
	python = image{"todo-base-python", "3.11", hash(debian, recipe("python.Dockerfile"))}
	node = image{"todo-base-node", "24", hash(debian, recipe("node.Dockerfile"), s.pins.Node.Version, s.pins.Node.SHA256[arch])}
	postgres = image{"todo-base-postgres", "15", hash(debian, recipe("postgres.Dockerfile"), recipe("postgres-entrypoint.sh"))}
	return python, node, postgres
}

// Bases builds the base images that the engine lacks, all on one Debian, whose layer they share.
func (s *Source) Bases(ctx context.Context, t *ui.Task) (source.Bases, error) {
	python, node, postgres := s.baseImages()
	bases := source.Bases{Python: python.String(), Node: node.String(), Postgres: postgres.String()}
	found, err := s.docker.Images(ctx, bases.Python, bases.Node, bases.Postgres)
	if err != nil {
		return source.Bases{}, err
	}
	if len(found) == 3 {
		t.Unchanged("built before")
		return bases, nil
	}
	if err := s.ready(ctx); err != nil {
		return source.Bases{}, err
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
			return source.Bases{}, err
		}
	}
	return bases, nil
}

// build makes an image from a build context that fill writes, unless the engine has it.
func (s *Source) build(ctx context.Context, t *ui.Task, i image, fill func(context.Context, *ui.Task, string) error) error {
	unlock, err := s.store.lock(ctx, t, i.repo)
	if err != nil {
		return err
	}
	defer unlock()
	if found, err := s.docker.Images(ctx, i.String()); err != nil || len(found) == 1 {
		t.Unchanged("built before")
		return err
	}
	debian, err := s.debian(ctx, t)
	if err != nil {
		return err
	}
	// One folder for all times: BuildKit knows a context by its path, and keeps a copy of each that it has seen.
	dir := filepath.Join(s.store.dir, "contexts", i.repo)
	defer func() { _ = os.RemoveAll(dir) }()
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
func (s *Source) contextOf(names ...string) func(context.Context, *ui.Task, string) error {
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
