package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

// pushingEngine is a Docker engine that has images of the given layers and pushes as the real one does: what the registry has it does not send.
func pushingEngine(t *testing.T, images map[string][]string) (fake *run.Fake, sent *[]string) {
	t.Helper()
	sent = new([]string)
	tags := map[string]string{}
	fake = (&run.Fake{}).On("docker image rm", "", nil)
	fake.OnFunc("docker tag", func(c run.Cmd) (string, error) {
		tags[c.Args[2]] = c.Args[1]
		return "", nil
	})
	fake.OnFunc("docker push", func(c run.Cmd) (string, error) {
		target := c.Args[1]
		name, tag := target[:strings.LastIndexByte(target, ':')], target[strings.LastIndexByte(target, ':')+1:]
		host, repository, _ := strings.Cut(name, "/")
		base := "http://" + host + "/v2/" + repository
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest}
		m.SchemaVersion = 2
		upload := func(content string) (ocispec.Descriptor, error) {
			d := digest.FromString(content)
			head, err := http.Head(base + "/blobs/" + d.String())
			if err != nil {
				return ocispec.Descriptor{}, err
			}
			head.Body.Close()
			if head.StatusCode != http.StatusOK {
				*sent = append(*sent, content)
				if err := send(http.MethodPost, base+"/blobs/uploads/?digest="+d.String(), "application/octet-stream", []byte(content)); err != nil {
					return ocispec.Descriptor{}, err
				}
			}
			return ocispec.Descriptor{Digest: d, Size: int64(len(content))}, nil
		}
		for _, layer := range images[tags[target]] {
			d, err := upload(layer)
			if err != nil {
				return "", err
			}
			m.Layers = append(m.Layers, d)
		}
		var err error
		if m.Config, err = upload(`{"of":"` + tags[target] + `"}`); err != nil {
			return "", err
		}
		raw, err := json.Marshal(m)
		if err != nil {
			return "", err
		}
		if err := send(http.MethodPut, base+"/manifests/"+tag, m.MediaType, raw); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s: digest: %s size: %d\n", tag, digest.FromBytes(raw), len(raw)), nil
	})
	return fake, sent
}

func send(method, url, mediaType string, body []byte) error {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", mediaType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s %s: %s", method, url, res.Status)
	}
	return nil
}

func TestRelayDescribesWhatTheEnginePushed(t *testing.T) {
	fake, sent := pushingEngine(t, map[string][]string{"todo-a:1": {"base", "one"}, "todo-a:2": {"base", "two"}})
	dir := t.TempDir()
	take := func(ref string) *layout {
		r, err := openRelay(t.Context(), &engine.Docker{Runner: fake, CLI: "docker"}, dir)
		require.NoError(t, err)
		defer r.close()
		l, err := r.take(t.Context(), nil, []string{ref})
		require.NoError(t, err)
		return l
	}
	l := take("todo-a:1")
	assert.Equal(t, []string{"base", "one", `{"of":"todo-a:1"}`}, *sent)
	d := l.digests["todo-a:1"]
	assert.Equal(t, d, digest.FromBytes(l.generate[d]))
	for i, want := range []string{"base", "one", `{"of":"todo-a:1"}`} {
		raw, err := os.ReadFile(l.stored[i].path)
		require.NoError(t, err)
		assert.Equal(t, want, string(raw))
		assert.Equal(t, digest.FromString(want), l.stored[i].digest)
	}
	var index ocispec.Index
	require.NoError(t, json.Unmarshal(l.index, &index))
	assert.Equal(t, d, index.Manifests[0].Digest)
	assert.Equal(t, "docker.io/library/todo-a:1", index.Manifests[0].Annotations[nameAnnotation])
	calls := fake.Calls()
	assert.Regexp(t, `^docker image rm --no-prune 127\.0\.0\.1:\d+/todo:todo-a-1$`, calls[len(calls)-1], "the name for the push goes again")

	*sent = nil
	take("todo-a:2")
	assert.Equal(t, []string{"two", `{"of":"todo-a:2"}`}, *sent, "a later relay has what an earlier one was given")
}

func TestRelayTakesAnotherPortWhereItsOwnIsTaken(t *testing.T) {
	docker := &engine.Docker{Runner: &run.Fake{}, CLI: "docker"}
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
	fake, _ := pushingEngine(t, nil)
	fake.On("docker push", "", errors.New("the engine went away"))
	r, err := openRelay(t.Context(), &engine.Docker{Runner: fake, CLI: "docker"}, t.TempDir())
	require.NoError(t, err)
	defer r.close()
	_, err = r.take(t.Context(), nil, []string{"todo-a:1"})
	require.ErrorContains(t, err, "the engine went away")
	calls := fake.Calls()
	assert.Contains(t, calls[len(calls)-1], "docker image rm", "no name is left behind")
}

func TestNamesOfKilledPushesAreRemoved(t *testing.T) {
	const one, two = "127.0.0.1:25381/todo:todo-a-0", "127.0.0.1:25381/todo:todo-b-0"
	fake := (&run.Fake{}).On("docker image ls --filter reference=127.0.0.1:25381/todo:*", one+"\n"+two+"\n", nil).On("docker image rm", "", nil)
	removePushNames(t.Context(), &engine.Docker{Runner: fake, CLI: "docker"})
	assert.Equal(t, "docker image rm --no-prune "+one+" "+two, fake.Calls()[1])
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
