package image

import (
	"archive/tar"
	"bytes"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// nameAnnotation is where containerd's importer looks for an image's full name.
const nameAnnotation = "io.containerd.image.name"

// layout is a set of images as the blobs of an OCI image layout.
type layout struct {
	index    []byte
	generate map[digest.Digest][]byte // manifests, made here
	stored   []blob                   // configs and layers
	digests  map[string]digest.Digest // manifest digest by image name
}

// write streams the layout as a tar archive, without the blobs that the other side has. It gives the bytes of the blobs written.
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
	for _, b := range l.stored {
		if has(b.digest) {
			continue
		}
		f, err := os.Open(b.path)
		if err != nil {
			return moved, err
		}
		err = put("blobs/sha256/"+b.digest.Encoded(), b.size, f)
		f.Close()
		if err != nil {
			return moved, err
		}
	}
	for d, raw := range l.generate {
		if err := put("blobs/sha256/"+d.Encoded(), int64(len(raw)), bytes.NewReader(raw)); err != nil {
			return moved, err
		}
	}
	if err := put(ocispec.ImageIndexFile, int64(len(l.index)), bytes.NewReader(l.index)); err != nil {
		return moved, err
	}
	return moved, tw.Close()
}

var layoutFile = []byte(`{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`)
