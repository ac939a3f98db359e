package engine

import (
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Clients of versions 20 and 28 were seen to refuse other names.
func TestImageFormatIsOneThatEveryClientFills(t *testing.T) {
	image := struct { // as in Docker's own types
		ID          string `json:"Id"`
		RepoTags    []string
		RepoDigests []string
	}{"sha256:0", []string{"todo-a:1", "todo-a:2"}, nil}
	format, err := template.New("").Funcs(template.FuncMap{"join": strings.Join}).Parse(imageFormat)
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, format.Execute(&out, image))
	assert.Equal(t, "sha256:0 todo-a:1,todo-a:2 ", out.String())
}
