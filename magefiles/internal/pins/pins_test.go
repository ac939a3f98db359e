package pins

import (
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
