package image

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
)

func TestRelayDescribesWhatTheEnginePushed(t *testing.T) {
	img := imageOf(t, "base", "one")
	docker, fake := newEngine(map[string]pushable{"todo-a:1": img}).docker(t)
	r, err := openRelay(t.Context(), docker, t.TempDir())
	require.NoError(t, err)
	defer r.close()
	l, err := r.take(t.Context(), nil, []string{"todo-a:1"}, amd64)
	require.NoError(t, err)

	d := l.digests["todo-a:1"]
	assert.Equal(t, digestOf(t, img), d)
	assert.Equal(t, d, digest.FromBytes(l.manifests[d]))
	require.Len(t, l.blobs, 3)
	for _, b := range l.blobs {
		raw, err := os.ReadFile(b.path)
		require.NoError(t, err)
		assert.Equal(t, b.digest, digest.FromBytes(raw))
		assert.EqualValues(t, b.size, len(raw))
	}
	assert.Equal(t, d.String(), l.index.Manifests[0].Digest.String())
	assert.Equal(t, "docker.io/library/todo-a:1", l.index.Manifests[0].Annotations[nameAnnotation])
	calls := fake.Calls()
	assert.Regexp(t, `^docker image rm --no-prune 127\.0\.0\.1:\d+/todo:todo-a-1$`, calls[len(calls)-1], "the name for the push goes again")
}

func TestRelayTakesAnotherPortWhereItsOwnIsTaken(t *testing.T) {
	docker := dockertest.New(t, &run.Fake{})
	first, err := openRelay(t.Context(), docker, t.TempDir())
	require.NoError(t, err)
	defer first.close()
	second, err := openRelay(t.Context(), docker, t.TempDir())
	require.NoError(t, err)
	defer second.close()
	assert.NotEqual(t, first.addr, second.addr)
	assert.Regexp(t, `^127\.0\.0\.1:`, second.addr)
}

func TestRelayReportsAPushThatFails(t *testing.T) {
	docker, fake := newEngine(nil).docker(t)
	fake.On("docker push", "", errors.New("the engine went away"))
	r, err := openRelay(t.Context(), docker, t.TempDir())
	require.NoError(t, err)
	defer r.close()
	_, err = r.take(t.Context(), nil, []string{"todo-a:1"}, amd64)
	require.ErrorContains(t, err, "the engine went away")
	calls := fake.Calls()
	assert.Contains(t, calls[len(calls)-1], "docker image rm", "no name is left behind")
}

func TestNamesOfKilledPushesAreRemoved(t *testing.T) {
	const one, two = "127.0.0.1:25381/todo:todo-a-0", "127.0.0.1:25381/todo:todo-b-0"
	fake := (&run.Fake{}).On("docker image ls", one+"\n"+two+"\ntodo-a:0\n", nil).On("docker image rm", "", nil)
	removePushNames(t.Context(), dockertest.New(t, fake))
	assert.Equal(t, []string{"docker image rm --no-prune " + one, "docker image rm --no-prune " + two}, fake.Calls()[1:])
}

// halfway breaks off, as an engine does that is ended.
type halfway struct{ io.Reader }

func (h halfway) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestBlobsAreKeptWholeOrNotAtAllAndForgottenWhenUnused(t *testing.T) {
	f := blobFolder(t.TempDir())
	hash := func(content string) v1.Hash {
		return v1.Hash{Algorithm: "sha256", Hex: digest.FromString(content).Encoded()}
	}
	require.Error(t, f.Put(t.Context(), "todo", hash("cut"), io.NopCloser(halfway{strings.NewReader("cu")})))
	entries, err := os.ReadDir(string(f))
	require.NoError(t, err)
	assert.Empty(t, entries)

	for _, content := range []string{"used", "unused"} {
		require.NoError(t, f.Put(t.Context(), "todo", hash(content), io.NopCloser(strings.NewReader(content))))
		old := time.Now().Add(-2 * unusedBlobs)
		require.NoError(t, os.Chtimes(f.path(hash(content).Hex), old, old))
	}
	size, err := f.Stat(t.Context(), "todo", hash("used")) // which is a use
	require.NoError(t, err)
	assert.EqualValues(t, 4, size)
	require.NoError(t, f.prune(time.Now().Add(-unusedBlobs)))
	assert.FileExists(t, f.path(hash("used").Hex))
	assert.NoFileExists(t, f.path(hash("unused").Hex))
}
