package deploy

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// birth is a new cluster of another node image than the source's. It comes up once it was given the add-ons' images.
type birth struct {
	cluster.Provider
	loaded chan []string
}

func (birth) Name() string { return "new cluster" }
func (birth) Addons() bool { return true }
func (birth) Node(ctx context.Context, t *ui.Task, src source.Source) (source.Node, error) {
	return src.Node(ctx, t)
}

func (b birth) Up(_ context.Context, _ *ui.Task, _ source.Node, takesImages func()) (cluster.Access, error) {
	takesImages()
	takesImages() // as a provider may
	return cluster.Access{NodeImage: "former"}, assert.AnError
}

func (b birth) Load(_ context.Context, _ *ui.Task, refs []string) (map[string]string, error) {
	b.loaded <- refs
	return nil, nil
}

// settled is the same cluster, with nothing amiss.
type settled struct{ birth }

func (s settled) Up(_ context.Context, _ *ui.Task, _ source.Node, takesImages func()) (cluster.Access, error) {
	takesImages()
	s.loaded <- <-s.loaded // the images come while the control plane starts
	return cluster.Access{NodeImage: "former"}, nil
}

type addonsApart struct{ source.Source }

func (addonsApart) Node(context.Context, *ui.Task) (source.Node, error) {
	return source.Node{Image: "node", Traefik: "traefik:1", MetricsServer: "metrics:1", AddonsApart: true}, nil
}

func TestTheEngineGivesANewNodeTheImagesOfItsAddons(t *testing.T) {
	s := session.Source{Engine: session.Engine{Session: open(config.Config{})}, Images: addonsApart{}}
	loaded := make(chan []string, 1)
	_, err := clusterUp(t.Context(), s, settled{birth{loaded: loaded}}, func() {})
	require.NoError(t, err)
	assert.Equal(t, []string{"traefik:1", "metrics:1"}, <-loaded)

	_, err = clusterUp(t.Context(), s, birth{loaded: make(chan []string, 1)}, func() {})
	require.ErrorIs(t, err, assert.AnError, "a cluster that does not come up is what is told")
}
