package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type entry struct{ name, body, link string }

func tarOf(t *testing.T, entries ...entry) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.body))}
		if e.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, e.body)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return &buf
}

const oldManifest = `[{"Config":"c1.json","RepoTags":["todo-a:1"],"Layers":["base/layer.tar","top/layer.tar"]},
 {"Config":"c2.json","RepoTags":["todo-b:2"],"Layers":["same/layer.tar"]}]`

// oldLayout is what Docker up to 24 writes; equal layers are links there.
func oldLayout(t *testing.T) *bytes.Buffer {
	return tarOf(t, entry{name: "base/layer.tar", body: "base"}, entry{name: "top/layer.tar", body: "top"},
		entry{name: "same/layer.tar", link: "../base/layer.tar"},
		entry{name: "c1.json", body: "{1}"}, entry{name: "c2.json", body: "{2}"}, entry{name: "manifest.json", body: oldManifest})
}

func newLayout(t *testing.T) *bytes.Buffer {
	blob := func(body string) string { return "blobs/sha256/" + digest.FromString(body).Encoded() }
	raw, err := json.Marshal([]savedImage{
		{Config: blob("{1}"), RepoTags: []string{"todo-a:1"}, Layers: []string{blob("base"), blob("top")}},
		{Config: blob("{2}"), RepoTags: []string{"todo-b:2"}, Layers: []string{blob("base")}},
	})
	require.NoError(t, err)
	return tarOf(t, entry{name: blob("base"), body: "base"}, entry{name: blob("top"), body: "top"}, entry{name: blob("{1}"), body: "{1}"},
		entry{name: blob("{2}"), body: "{2}"}, entry{name: "manifest.json", body: string(raw)})
}

func TestBothLayoutsGiveTheSameManifests(t *testing.T) {
	var got []map[string]digest.Digest
	for _, save := range []*bytes.Buffer{oldLayout(t), newLayout(t)} {
		a, err := readArchive(save, t.TempDir())
		require.NoError(t, err)
		l, err := a.layout(fullName)
		require.NoError(t, err)
		got = append(got, l.digests)
	}
	assert.Len(t, got[0], 2)
	assert.Equal(t, got[0], got[1])
}

func TestOnlyMissingBlobsAreWritten(t *testing.T) {
	a, err := readArchive(oldLayout(t), t.TempDir())
	require.NoError(t, err)
	l, err := a.layout(fullName)
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = l.write(&out, func(d digest.Digest) bool { return d == digest.FromString("base") })
	require.NoError(t, err)

	files := map[string]string{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		body, err := io.ReadAll(r)
		require.NoError(t, err)
		files[h.Name] = string(body)
	}
	assert.NotContains(t, files, "blobs/sha256/"+digest.FromString("base").Encoded(), "the node has it")
	assert.Equal(t, "top", files["blobs/sha256/"+digest.FromString("top").Encoded()])

	var index ocispec.Index
	require.NoError(t, json.Unmarshal([]byte(files["index.json"]), &index))
	require.Len(t, index.Manifests, 2)
	assert.Equal(t, "docker.io/library/todo-a:1", index.Manifests[0].Annotations[nameAnnotation])
	for _, m := range index.Manifests {
		assert.Equal(t, m.Digest, digest.FromString(files["blobs/sha256/"+m.Digest.Encoded()]), "the manifest is what its digest says")
	}
}

func TestCompressedLayersAreNamedSo(t *testing.T) {
	const gz = "\x1f\x8b not really"
	a, err := readArchive(tarOf(t, entry{name: "l", body: gz}, entry{name: "c", body: "{}"},
		entry{name: "manifest.json", body: `[{"Config":"c","RepoTags":["x:1"],"Layers":["l"]}]`}), t.TempDir())
	require.NoError(t, err)
	l, err := a.layout(fullName)
	require.NoError(t, err)
	assert.Contains(t, string(l.generate[l.digests["x:1"]]), ocispec.MediaTypeImageLayerGzip)
}

func TestDamagedArchives(t *testing.T) {
	_, err := readArchive(strings.NewReader("not a tar archive, but long enough to be taken for the header of one"+strings.Repeat(".", 600)), t.TempDir())
	require.Error(t, err)
	_, err = readArchive(bytes.NewReader(oldLayout(t).Bytes()[:700]), t.TempDir())
	require.Error(t, err, "a stream that was cut")

	a, err := readArchive(tarOf(t, entry{name: "manifest.json", body: oldManifest}), t.TempDir())
	require.NoError(t, err)
	_, err = a.layout(fullName)
	require.ErrorContains(t, err, "lack")
}
