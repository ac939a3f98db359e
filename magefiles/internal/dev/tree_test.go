package dev

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write puts a file into a folder.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func TestAScanFindsWhatTheImageCovers(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ".dockerignore", "*\n!src\n!requirements.txt\n**/__pycache__\n")
	write(t, dir, "requirements.txt", "a")
	write(t, dir, "src/main.py", "a")
	write(t, dir, "src/__pycache__/main.pyc", "a")
	write(t, dir, ".venv/lib/a.py", "a")
	var folders []string
	tr := tree{dir: dir}
	scan := func() []string {
		folders = nil
		changed, err := tr.scan(func(path string) { folders = append(folders, path) })
		require.NoError(t, err)
		return changed
	}
	assert.Equal(t, []string{"requirements.txt", "src/main.py"}, scan())
	assert.Equal(t, []string{dir, filepath.Join(dir, "src")}, folders, "those that are to be watched")
	assert.Empty(t, scan())

	write(t, dir, "src/main.py", "b") // of the same size, and perhaps at the same time
	write(t, dir, "src/new/b.py", "b")
	write(t, dir, ".venv/lib/a.py", "b")
	assert.Equal(t, []string{"src/main.py", "src/new/b.py"}, scan())
	assert.Contains(t, folders, filepath.Join(dir, "src", "new"))

	require.NoError(t, os.Rename(filepath.Join(dir, "src/main.py"), filepath.Join(dir, "src/other.py")))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "src/new")))
	assert.Equal(t, []string{"src/main.py", "src/new/b.py", "src/other.py"}, scan())
	require.NoError(t, os.Chtimes(filepath.Join(dir, "src/other.py"), fixed, fixed))
	assert.Empty(t, scan(), "saved as it was")
}

func TestWithin(t *testing.T) {
	paths := []string{"src/a.py", "srcs/b.py", "Dockerfile", "docs/Dockerfile"}
	assert.Equal(t, []string{"src/a.py"}, within(paths, []string{"src"}))
	assert.Equal(t, []string{"Dockerfile"}, within(paths, []string{"Dockerfile"}))
	assert.Equal(t, paths, within(paths, []string{"."}))
	assert.Empty(t, within(paths, nil))
}
