package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"todo.local/magefiles/internal/fault"
)

// nameAnnotation is where containerd's importer looks for an image's full name.
const nameAnnotation = "io.containerd.image.name"

// layout is a set of images as the blobs of an OCI image layout.
type layout struct {
	from      store
	index     v1.IndexManifest
	manifests map[digest.Digest][]byte
	blobs     []blob                   // configs and layers, each once
	digests   map[string]digest.Digest // manifest digest by image name
	known     map[digest.Digest]bool   // of blobs
}

// platform asks what a node runs.
type platform func() (v1.Platform, error)

// store is where the parts of images are.
type store interface {
	// manifest gives the text of a manifest or an index, and its type where the store knows it.
	manifest(context.Context, v1.Hash) ([]byte, types.MediaType, error)
	// path gives the file that holds a config or a layer, if it is there.
	path(v1.Hash) string
}

// blob is a config or a layer.
type blob struct {
	digest digest.Digest
	size   int64
	path   string // of the file that holds it
}

func newLayout(from store) *layout {
	return &layout{
		from: from, index: v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex},
		manifests: map[digest.Digest][]byte{}, digests: map[string]digest.Digest{}, known: map[digest.Digest]bool{},
	}
}

// add puts an image into the layout under a name, once all that it needs is there. Of an index that is the image for
// the node's platform, which is asked for only then.
func (l *layout) add(ctx context.Context, ref string, d v1.Descriptor, node platform) error {
	if d.MediaType.IsIndex() {
		raw, err := l.manifest(ctx, ref, d.Digest)
		if err != nil {
			return err
		}
		if d, err = imageFor(ref, raw, node); err != nil {
			return err
		}
	}
	raw, err := l.manifest(ctx, ref, d.Digest)
	if err != nil {
		return err
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("manifest of %s: %w", ref, err)
	}
	for _, part := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		if part.Digest.Algorithm != string(digest.SHA256) { // none at all where this is no manifest
			return fmt.Errorf("manifest of %s: a part has the digest %q", ref, part.Digest)
		}
		file := l.from.path(part.Digest)
		if info, err := os.Stat(file); err != nil || info.Size() != part.Size {
			_ = os.Remove(file) // one that was cut, as by a power failure, is in the way of a whole one
			return fmt.Errorf("of %s the part %s is missing", ref, part.Digest)
		}
		if d := digest.Digest(part.Digest.String()); !l.known[d] {
			l.known[d] = true
			l.blobs = append(l.blobs, blob{digest: d, size: part.Size, path: file})
		}
	}
	at := digest.Digest(d.Digest.String())
	l.manifests[at], l.digests[ref] = raw, at
	l.index.Manifests = append(l.index.Manifests, v1.Descriptor{
		MediaType: d.MediaType, Digest: d.Digest, Size: int64(len(raw)), Annotations: map[string]string{nameAnnotation: fullName(ref)},
	})
	return nil
}

// manifest gives a manifest that is what its digest says.
func (l *layout) manifest(ctx context.Context, ref string, h v1.Hash) ([]byte, error) {
	raw, _, err := l.from.manifest(ctx, h)
	if err == nil && digest.FromBytes(raw).String() != h.String() {
		err = fmt.Errorf("it is not %s", h)
	}
	if err != nil {
		return nil, fmt.Errorf("manifest of %s: %w", ref, err)
	}
	return raw, nil
}

// imageFor picks the image of an index that a node runs. Attestations, which lie beside the images there, are of the
// platform "unknown".
func imageFor(ref string, index []byte, node platform) (v1.Descriptor, error) {
	m, err := v1.ParseIndexManifest(bytes.NewReader(index))
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("index of %s: %w", ref, err)
	}
	runs, err := node()
	if err != nil {
		return v1.Descriptor{}, err
	}
	var others []string
	for _, d := range m.Manifests {
		switch {
		case d.Platform == nil || !d.MediaType.IsImage() || d.Platform.OS == "unknown":
		case d.Platform.Satisfies(runs):
			return d, nil
		default:
			others = append(others, d.Platform.String())
		}
	}
	if len(others) == 0 {
		return v1.Descriptor{}, fmt.Errorf("the index of %s names no image", ref)
	}
	return v1.Descriptor{}, fault.New(fault.CodeBuild, fmt.Sprintf("%s is for %s, and the node runs %s", ref, strings.Join(others, ", "), runs),
		"build or pull it for that platform")
}

// removeDamaged removes the blobs that are not what they are called, so that the next transfer gets them anew.
func (l *layout) removeDamaged() {
	for _, b := range l.blobs {
		f, err := os.Open(b.path)
		if err != nil {
			continue
		}
		if d, err := digest.FromReader(f); err == nil && d != b.digest {
			_ = os.Remove(b.path)
		}
		_ = f.Close()
	}
}

// write streams the layout as a tar archive, without the blobs that the other side has. It gives the bytes of the blobs
// written.
func (l *layout) write(w io.Writer, has func(digest.Digest) bool) (int64, error) {
	tw := tar.NewWriter(w)
	var moved int64
	put := func(name string, size int64, r io.Reader) error {
		moved += size
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size}); err != nil {
			return err
		}
		_, err := io.Copy(tw, r)
		return err
	}
	if err := put(ocispec.ImageLayoutFile, int64(len(layoutFile)), bytes.NewReader(layoutFile)); err != nil {
		return moved, err
	}
	for _, b := range l.blobs {
		if has(b.digest) {
			continue
		}
		f, err := os.Open(b.path)
		if err != nil {
			return moved, err
		}
		err = put("blobs/sha256/"+b.digest.Encoded(), b.size, f)
		_ = f.Close()
		if err != nil {
			return moved, err
		}
	}
	for d, raw := range l.manifests {
		if err := put("blobs/sha256/"+d.Encoded(), int64(len(raw)), bytes.NewReader(raw)); err != nil {
			return moved, err
		}
	}
	index, err := json.Marshal(l.index)
	if err != nil {
		return moved, err
	}
	if err := put(ocispec.ImageIndexFile, int64(len(index)), bytes.NewReader(index)); err != nil {
		return moved, err
	}
	return moved, tw.Close()
}

var layoutFile = []byte(`{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`)
