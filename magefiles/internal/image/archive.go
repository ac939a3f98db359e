package image

import (
	"archive/tar"
	"bytes"
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

// nameAnnotation is where containerd's importer looks for an image's full name.
const nameAnnotation = "io.containerd.image.name"

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
	return b, os.Rename(tmp.Name(), a.path(b.digest))
}

func (a *archive) path(d digest.Digest) string { return filepath.Join(a.dir, d.Encoded()) }

// layout is a set of images as the blobs of an OCI image layout.
type layout struct {
	index    []byte
	generate map[digest.Digest][]byte // manifests, made here
	stored   []blob                   // configs and layers, in the archive's folder
	digests  map[string]digest.Digest // manifest digest by image name
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

// write streams the layout as a tar archive, without the blobs that the other side has. It gives the bytes of the blobs written.
func (a *archive) write(w io.Writer, l *layout, has func(digest.Digest) bool) (int64, error) {
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
		f, err := os.Open(a.path(b.digest))
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
