package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// contextBuilder is an engine that keeps of each build what it was given: the files of the context, by the image's
// name.
type contextBuilder struct {
	built  map[string]map[string]*tar.Header
	text   map[string]map[string]string
	before func() // a build reads its context
	asked  func() // whether an image is there
}

func newContextBuilder(t *testing.T) (*contextBuilder, *Builder, *run.Fake) {
	t.Helper()
	c := &contextBuilder{built: map[string]map[string]*tar.Header{}, text: map[string]map[string]string{}, before: func() {}, asked: func() {}}
	fake := &run.Fake{}
	fake.OnFunc("docker image inspect", func(cmd run.Cmd) (string, error) {
		c.asked()
		if _, ok := c.built[cmd.Args[len(cmd.Args)-1]]; !ok {
			return "", errors.New("no such image")
		}
		return dockertest.Inspected(engine.Image{ID: "sha256:1"}), nil
	})
	fake.OnFunc("docker build", func(cmd run.Cmd) (string, error) {
		c.before()
		ref := cmd.Args[4]
		c.built[ref], c.text[ref] = map[string]*tar.Header{}, map[string]string{}
		raw, err := io.ReadAll(cmd.Stdin)
		if err != nil {
			return "", err
		}
		if _, err := tar.NewReader(bytes.NewReader(raw[:min(len(raw), 1024)])).Next(); err != nil {
			return "", fmt.Errorf("docker takes this for a Dockerfile: %w", err)
		}
		for r := tar.NewReader(bytes.NewReader(raw)); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			body, err := io.ReadAll(r)
			if err != nil {
				return "", err
			}
			c.built[ref][h.Name], c.text[ref][h.Name] = h, string(body)
		}
	})
	return c, &Builder{Docker: dockertest.New(t, fake), LogDir: t.TempDir()}, fake
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

func builds(fake *run.Fake) (n int) {
	for _, call := range fake.Calls() {
		if strings.HasPrefix(call, "docker build") {
			n++
		}
	}
	return n
}

func TestAnEditDuringABuildIsNoPartOfIt(t *testing.T) {
	c, b, fake := newContextBuilder(t)
	dir := tree(t, map[string]string{"Dockerfile": "FROM x", "main.py": "A"})
	s := Spec{Name: "todo-x", Dir: dir}
	build := func() string {
		ref, err := b.Build(t.Context(), nil, s)
		require.NoError(t, err)
		return ref
	}
	c.before = func() { write(t, dir, "main.py", "B") }
	a := build()
	assert.Equal(t, "A", c.text[a]["main.py"], "the name is that of A, and so are the bytes")

	c.before = func() {}
	other := build()
	assert.NotEqual(t, a, other)
	assert.Equal(t, "B", c.text[other]["main.py"])

	write(t, dir, "main.py", "A")
	assert.Equal(t, a, build())
	assert.Equal(t, 2, builds(fake))
}

func TestAnEditBeforeABuildIsPartOfNameAndBytes(t *testing.T) {
	c, b, fake := newContextBuilder(t)
	dir := tree(t, map[string]string{"Dockerfile": "FROM x", "main.py": "A"})
	c.asked = func() { write(t, dir, "main.py", "B") } // after the first reading
	ref, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: dir})
	require.NoError(t, err)
	assert.Equal(t, "B", c.text[ref]["main.py"])
	want, err := Spec{Name: "todo-x", Dir: dir}.Ref()
	require.NoError(t, err)
	assert.Equal(t, want, ref)
	assert.Len(t, c.built, 1)

	// Back to what was built before, between the two readings.
	write(t, dir, "main.py", "C")
	again, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: dir})
	require.NoError(t, err)
	assert.Equal(t, ref, again)
	assert.Equal(t, 1, builds(fake))
}

func TestFilesThatKeepChangingAreToldInOneLine(t *testing.T) {
	c, b, fake := newContextBuilder(t)
	dir := tree(t, map[string]string{"Dockerfile": "FROM x"})
	n := 0
	c.asked = func() { n++; write(t, dir, "generated", fmt.Sprint(n)) }
	_, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: dir})
	require.ErrorContains(t, err, "the files in "+dir+" keep changing while they are read")
	assert.Equal(t, fault.CodeBuild, fault.Code(err))
	assert.NotEmpty(t, fault.Remedy(err))
	assert.Zero(t, builds(fake))
}

func TestAContextThatIsNotThere(t *testing.T) {
	_, b, _ := newContextBuilder(t)
	_, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: filepath.Join(t.TempDir(), "gone")})
	require.ErrorContains(t, err, "gone cannot be read")
	assert.Equal(t, fault.CodeBuild, fault.Code(err))
}

func TestBuildersGetWhatIsNamed(t *testing.T) {
	c, b, _ := newContextBuilder(t)
	dir := tree(t, map[string]string{
		"Dockerfile": "FROM x", ".dockerignore": "*\n!docs/keep\n!run\n!link\n", "docs/keep/a": "1", "docs/other": "2", "run": "#!/bin/sh", "secret": "3",
	})
	require.NoError(t, os.Chmod(filepath.Join(dir, "run"), 0o700))
	require.NoError(t, os.Chmod(filepath.Join(dir, "docs", "keep", "a"), 0o600))
	require.NoError(t, os.Symlink("run", filepath.Join(dir, "link")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	ref, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: dir})
	require.NoError(t, err)

	var names []string
	for name := range c.built[ref] {
		names = append(names, name)
	}
	assert.ElementsMatch(t, []string{"./", "Dockerfile", "docs/", "docs/keep/", "docs/keep/a", "run", "link"}, names,
		"the Dockerfile, even where .dockerignore leaves it out; folders as far as something is in them")
	for name, mode := range map[string]int64{"docs/": 0o755, "docs/keep/a": 0o644, "run": 0o755} {
		assert.Equal(t, mode, c.built[ref][name].Mode, "%s: of a mode only what the name tells", name)
	}
	assert.Equal(t, "run", c.built[ref]["link"].Linkname)
	info, err := os.Stat(filepath.Join(dir, "run"))
	require.NoError(t, err)
	assert.True(t, info.ModTime().Equal(c.built[ref]["run"].ModTime), "exact times, for tools that tell changes by them")
	assert.Zero(t, c.built[ref]["run"].Uid)
}

func TestAFileThatShrinksOrGoesIsReadAgain(t *testing.T) {
	assert.True(t, changing(fmt.Errorf("x: %w", errShrunk)))
	assert.True(t, changing(fmt.Errorf("x: %w", os.ErrNotExist)))
	assert.False(t, changing(os.ErrPermission))
	assert.False(t, changing(nil))
}
