package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// saved is an archive of two images that share a layer.
func saved(t *testing.T, save func(io.Writer, map[string]pushable) error) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, save(&buf, map[string]pushable{"todo-a:1": imageOf(t, "base", "top"), "todo-b:2": imageOf(t, "base")}))
	return &buf
}

func layoutOf(t *testing.T, r io.Reader) *layout {
	t.Helper()
	a, err := readArchive(r, t.TempDir())
	require.NoError(t, err)
	l, err := a.layout(t.Context(), []string{"todo-a:1", "todo-b:2"}, amd64)
	require.NoError(t, err)
	return l
}

func TestBothLayoutsHaveTheSameBlobs(t *testing.T) {
	sizes := func(l *layout) map[digest.Digest]int64 {
		m := map[digest.Digest]int64{}
		for _, b := range l.blobs {
			m[b.digest] = b.size
		}
		return m
	}
	before, now := layoutOf(t, saved(t, saveOld)), layoutOf(t, saved(t, saveOCI))
	assert.Len(t, sizes(now), 4)
	assert.Equal(t, sizes(now), sizes(before))
	assert.Equal(t, layoutOf(t, saved(t, saveOld)).digests, before.digests, "the digest proves the content")
	assert.Len(t, before.digests, 2)
}

func TestOnlyMissingBlobsAreWritten(t *testing.T) {
	l := layoutOf(t, saved(t, saveOld))
	var out bytes.Buffer
	_, err := l.write(&out, func(d digest.Digest) bool { return d == digest.FromString("base") })
	require.NoError(t, err)

	files := map[string]string{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		body, err := io.ReadAll(r)
		require.NoError(t, err)
		files[h.Name] = string(body)
	}
	assert.NotContains(t, files, "blobs/sha256/"+digest.FromString("base").Encoded(), "the node has it")
	assert.Equal(t, "top", files["blobs/sha256/"+digest.FromString("top").Encoded()])

	var index v1.IndexManifest
	require.NoError(t, json.Unmarshal([]byte(files["index.json"]), &index))
	require.Len(t, index.Manifests, 2)
	assert.Equal(t, "docker.io/library/todo-a:1", index.Manifests[0].Annotations[nameAnnotation])
	for _, m := range index.Manifests {
		assert.Equal(t, m.Digest.String(), digest.FromString(files["blobs/sha256/"+m.Digest.Hex]).String(), "the manifest is what its digest says")
	}
}

func TestLayersKeepTheirCompression(t *testing.T) {
	var buf bytes.Buffer
	require.NoError(t, saveOCI(&buf, map[string]pushable{"todo-a:1": imageOf(t, "plain", gzipped), "todo-b:2": imageOf(t)}))
	l := layoutOf(t, &buf)
	m, err := v1.ParseManifest(bytes.NewReader(l.manifests[l.digests["todo-a:1"]]))
	require.NoError(t, err)
	assert.Equal(t, types.OCIUncompressedLayer, m.Layers[0].MediaType)
	assert.Equal(t, types.OCILayer, m.Layers[1].MediaType)
}

func TestDamagedArchives(t *testing.T) {
	_, err := readArchive(strings.NewReader("not a tar archive, but long enough to be taken for the header of one"+strings.Repeat(".", 600)), t.TempDir())
	require.Error(t, err)
	for name, save := range map[string]func(io.Writer, map[string]pushable) error{"old": saveOld, "OCI": saveOCI} {
		t.Run(name, func(t *testing.T) {
			whole := saved(t, save).Bytes()
			for _, cut := range []int{700, 512, 1024, 2048} {
				_, err := readArchive(bytes.NewReader(whole[:cut]), t.TempDir())
				require.Error(t, err, "a stream that was cut after %d bytes", cut)
			}
			a, err := readArchive(bytes.NewReader(bytes.ReplaceAll(whole, []byte("base"), []byte("bass"))), t.TempDir())
			require.NoError(t, err)
			l, err := a.layout(t.Context(), []string{"todo-a:1"}, amd64)
			if err == nil { // the old layout has no digests that could tell
				assert.NotContains(t, l.known, digest.FromString("base"))
			} else {
				require.ErrorContains(t, err, "missing")
			}
			a, err = readArchive(bytes.NewReader(whole), t.TempDir())
			require.NoError(t, err)
			_, err = a.layout(t.Context(), []string{"todo-c:1"}, amd64)
			require.ErrorContains(t, err, "lack todo-c:1")
		})
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	require.NoError(t, put(w, "manifest.json", []byte(`[{"Config":"c.json","RepoTags":["todo-a:1"],"Layers":["l"]}]`)))
	require.NoError(t, w.Close())
	a, err := readArchive(&buf, t.TempDir())
	require.NoError(t, err)
	_, err = a.layout(t.Context(), []string{"todo-a:1"}, amd64)
	require.ErrorContains(t, err, "lack c.json")
}

// FuzzArchive reads archives that nobody wrote.
func FuzzArchive(f *testing.F) {
	for _, save := range []func(io.Writer, map[string]pushable) error{saveOld, saveOCI} {
		t := &testing.T{}
		f.Add(saved(t, save).Bytes())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := readArchive(bytes.NewReader(raw), t.TempDir())
		if err != nil {
			return
		}
		if l, err := a.layout(t.Context(), []string{"todo-a:1", "todo-b:2"}, amd64); err == nil {
			_, err = l.write(io.Discard, func(digest.Digest) bool { return false })
			require.NoError(t, err)
		}
	})
}

// FuzzManifests reads what an engine may push or save: one text that refers to the other as @INNER@.
func FuzzManifests(f *testing.F) {
	for _, text := range malformed {
		f.Add(true, text, text)
		f.Add(false, text, "")
	}
	f.Add(true, `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"@INNER@","platform":{"os":"linux","architecture":"amd64"}}]}`,
		`{"config":{"digest":"`+someDigest+`","size":2},"layers":[]}`)
	f.Add(false, `{"config":{"digest":"@INNER@","size":2},"layers":[{"digest":"@INNER@","size":2}]}`, `{}`)
	f.Fuzz(func(t *testing.T, index bool, outer, inner string) {
		a := &archive{dir: t.TempDir()}
		d, err := a.keep(strings.NewReader(inner))
		require.NoError(t, err)
		d, err = a.keep(strings.NewReader(strings.ReplaceAll(outer, "@INNER@", d.Digest.String())))
		require.NoError(t, err)
		d.MediaType = types.OCIManifestSchema1
		if index {
			d.MediaType = types.OCIImageIndex
		}
		l := newLayout(a)
		if l.add(t.Context(), "todo-a:1", d, amd64) == nil {
			_, err = l.write(io.Discard, func(digest.Digest) bool { return false })
			require.NoError(t, err)
		}
	})
}
