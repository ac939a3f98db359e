package scratch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/ui"
)

func TestKubectlAIIsBuiltOnceForEachPin(t *testing.T) {
	root, cache := t.TempDir(), t.TempDir()
	module := filepath.Join(root, "tools", "kubectl-ai")
	require.NoError(t, os.MkdirAll(filepath.Join(module, "kubectl"), 0o755))
	for _, name := range []string{"go.mod", "go.sum", "kubectl/main.go"} {
		require.NoError(t, os.WriteFile(filepath.Join(module, name), []byte("require github.com/GoogleCloudPlatform/kubectl-ai v0.0.25 // of "+name), 0o644))
	}
	goTool := compiler(t)
	get := func() (dir string) {
		require.NoError(t, ui.Plain(t.Output()).Do("test", func(task *ui.Task) (err error) {
			dir, err = KubectlAI(t.Context(), task, &config.Config{Root: root, Cache: cache}, goTool)
			return err
		}))
		return dir
	}
	first := get()
	assert.FileExists(t, filepath.Join(first, "kubectl-ai"))
	assert.FileExists(t, filepath.Join(first, "kubectl"))
	assert.Equal(t, first, get())
	require.Len(t, builds(goTool), 2, "one for each program")
	assert.Contains(t, builds(goTool)[0], "-mod=readonly")
	assert.Contains(t, builds(goTool)[0], "-X main.version=0.0.25 ")

	require.NoError(t, os.WriteFile(filepath.Join(module, "go.mod"), []byte("another version"), 0o644))
	assert.NotEqual(t, first, get())
	assert.Len(t, builds(goTool), 4)
}
