package pins

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPinsAreReadStrictly(t *testing.T) {
	p := Load()
	for _, v := range []string{p.Kubernetes, p.Traefik, p.Buildx, p.Compose, p.DockerCommand} {
		assert.Regexp(t, `^v\d+\.\d+\.\d+$`, v)
	}
	_, err := parse([]byte("kuberntes: v1\n"))
	require.ErrorContains(t, err, "kuberntes")
}

// TestFilesOfOtherToolsNameTheSameImages holds what docker and compose read without the targets to the pins.
func TestFilesOfOtherToolsNameTheSameImages(t *testing.T) {
	r := Load().Registry
	for file, line := range map[string]string{
		"backend/Dockerfile":      "\nARG PYTHON_IMAGE=" + r.Python + "\n",
		"frontend/Dockerfile":     "\nARG NODE_IMAGE=" + r.Node + "\n",
		"frontend/e2e/Dockerfile": "\nARG NODE_IMAGE=" + r.Node + "\n",
		"compose.yaml":            "image: ${TODO_POSTGRES_IMAGE:-" + r.Postgres + "}\n",
	} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "..", file))
		require.NoError(t, err)
		assert.Contains(t, string(raw), line, file)
	}
	for _, ref := range []string{r.Python, r.Node, r.Postgres, r.Traefik, r.MetricsServer} {
		assert.Regexp(t, `:[^@:]+@sha256:[0-9a-f]{64}$`, ref)
	}
}
