package image

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// archive is what "docker save" wrote, unpacked into a folder as blobs named by their digests. All versions of its layout are read: the one of
// Docker up to 24 (ID/layer.tar) and the OCI one after it; both carry a manifest.json.
type archive struct {
	dir    string
	blobs  map[string]blob // by name in the archive
	images []savedImage    // in the order of manifest.json
}

type blob struct {
	digest digest.Digest
	size   int64
	gzip   bool
	path   string // of the file that holds it
}

type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// readArchive unpacks a "docker save" stream into dir.
func readArchive(r io.Reader, dir string) (*archive, error) {
	a := &archive{dir: dir, blobs: map[string]blob{}}
	links := map[string]string{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		switch {
		case errors.Is(err, io.EOF):
			return a, a.resolve(links)
		case err != nil:
			return nil, fmt.Errorf("reading the saved images: %w", err)
		case h.Typeflag == tar.TypeSymlink: // equal layers of one save are links in the old layout
			links[h.Name] = path.Join(path.Dir(h.Name), h.Linkname)
		case h.Name == "manifest.json":
			if err := json.NewDecoder(tr).Decode(&a.images); err != nil {
				return nil, fmt.Errorf("reading the saved images' manifest: %w", err)
			}
		case h.Typeflag == tar.TypeReg:
			b, err := a.keep(tr)
			if err != nil {
				return nil, err
			}
			a.blobs[h.Name] = b
		}
	}
}

func (a *archive) resolve(links map[string]string) error {
	if len(a.images) == 0 { // it is the last entry: a stream that was cut has none
		return errors.New("the saved images have no manifest.json")
	}
	for name, to := range links {
		b, ok := a.blobs[to]
		if !ok {
			return fmt.Errorf("the saved images lack %s", to)
		}
		a.blobs[name] = b
	}
	return nil
}

// keep writes one file of the archive to the folder under its digest.
func (a *archive) keep(r io.Reader) (blob, error) {
	tmp, err := os.CreateTemp(a.dir, "blob-")
	if err != nil {
		return blob{}, err
	}
	defer tmp.Close()
	sum := digest.SHA256.Digester()
	n, err := io.Copy(io.MultiWriter(tmp, sum.Hash()), r)
	if err != nil {
		return blob{}, err
	}
	var magic [2]byte
	_, _ = tmp.ReadAt(magic[:], 0)
	b := blob{digest: sum.Digest(), size: n, gzip: magic == [2]byte{0x1f, 0x8b}}
	b.path = filepath.Join(a.dir, b.digest.Encoded())
	return b, os.Rename(tmp.Name(), b.path)
}

// layout describes the archive's images in OCI terms. The same image always gives the same manifest digest, so the digest proves the content.
func (a *archive) layout(fullName func(string) string) (*layout, error) {
	l := &layout{generate: map[digest.Digest][]byte{}, digests: map[string]digest.Digest{}}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	seen := map[digest.Digest]bool{}
	describe := func(name, mediaType string) (ocispec.Descriptor, error) {
		b, ok := a.blobs[name]
		if !ok {
			return ocispec.Descriptor{}, fmt.Errorf("the saved images lack %s", name)
		}
		if !seen[b.digest] {
			seen[b.digest] = true
			l.stored = append(l.stored, b)
		}
		if mediaType == ocispec.MediaTypeImageLayer && b.gzip {
			mediaType = ocispec.MediaTypeImageLayerGzip
		}
		return ocispec.Descriptor{MediaType: mediaType, Digest: b.digest, Size: b.size}, nil
	}
	for _, img := range a.images {
		m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
		var err error
		if m.Config, err = describe(img.Config, ocispec.MediaTypeImageConfig); err != nil {
			return nil, err
		}
		for _, name := range img.Layers {
			d, err := describe(name, ocispec.MediaTypeImageLayer)
			if err != nil {
				return nil, err
			}
			m.Layers = append(m.Layers, d)
		}
		raw, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		d := digest.FromBytes(raw)
		l.generate[d] = raw
		for _, tag := range img.RepoTags {
			l.digests[tag] = d
			index.Manifests = append(index.Manifests, ocispec.Descriptor{
				MediaType: ocispec.MediaTypeImageManifest, Digest: d, Size: int64(len(raw)),
				Annotations: map[string]string{nameAnnotation: fullName(tag)},
			})
		}
	}
	var err error
	l.index, err = json.Marshal(index)
	return l, err
}
