package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// archive is what "docker save" wrote, unpacked into a folder as files named by their digests. From Docker 25 on it is
// an OCI image layout; before, manifest.json names the files of each image (ID/layer.tar).
type archive struct {
	dir    string
	files  map[string]v1.Descriptor // by name in the archive
	images []savedImage             // of manifest.json
}

type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// readArchive unpacks a "docker save" stream into dir.
func readArchive(r io.Reader, dir string) (*archive, error) {
	a := &archive{dir: dir, files: map[string]v1.Descriptor{}}
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
			if a.files[h.Name], err = a.keep(tr); err != nil {
				return nil, err
			}
		}
	}
}

func (a *archive) resolve(links map[string]string) error {
	for name, to := range links {
		f, ok := a.files[to]
		if !ok {
			return fmt.Errorf("the saved images lack %s", to)
		}
		a.files[name] = f
	}
	if _, ok := a.files[ocispec.ImageIndexFile]; !ok && len(a.images) == 0 { // both come last: a stream that was cut has none
		return errors.New("the saved images have neither index.json nor manifest.json")
	}
	return nil
}

// path is where the folder has what has a digest.
func (a *archive) path(h v1.Hash) string { return filepath.Join(a.dir, h.Hex) }

// keep writes one file of the archive to the folder under the digest that it has, whatever it was called.
func (a *archive) keep(r io.Reader) (v1.Descriptor, error) {
	tmp, err := os.CreateTemp(a.dir, "file-")
	if err != nil {
		return v1.Descriptor{}, err
	}
	hash, n, err := v1.SHA256(io.TeeReader(r, tmp))
	if err = errors.Join(err, tmp.Close()); err != nil {
		return v1.Descriptor{}, err
	}
	return v1.Descriptor{Digest: hash, Size: n}, os.Rename(tmp.Name(), a.path(hash))
}

// manifest reads a manifest or an index. What kind it is stands where it is referred to.
func (a *archive) manifest(_ context.Context, h v1.Hash) ([]byte, types.MediaType, error) {
	raw, err := os.ReadFile(a.path(h))
	return raw, "", err
}

// layout describes images of the archive in OCI terms. The same image always gives the same manifest digest, so the
// digest proves the content.
func (a *archive) layout(ctx context.Context, refs []string, node platform) (*layout, error) {
	l := newLayout(a)
	for _, ref := range refs {
		d, err := a.find(ctx, ref)
		if err != nil {
			return nil, err
		}
		if err := l.add(ctx, ref, d, node); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// find gives what the archive has under a name.
func (a *archive) find(ctx context.Context, ref string) (v1.Descriptor, error) {
	if d, ok := a.files[ocispec.ImageIndexFile]; ok {
		raw, _, err := a.manifest(ctx, d.Digest)
		if err != nil {
			return v1.Descriptor{}, err
		}
		index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
		if err != nil {
			return v1.Descriptor{}, fmt.Errorf("index of the saved images: %w", err)
		}
		for _, d := range index.Manifests {
			if d.Annotations[nameAnnotation] == fullName(ref) {
				return d, nil
			}
		}
	} else {
		for _, saved := range a.images {
			if slices.Contains(saved.RepoTags, ref) {
				return a.describe(saved)
			}
		}
	}
	return v1.Descriptor{}, fmt.Errorf("the saved images lack %s", ref)
}

// describe makes the manifest that an image of the old layout has none of. Its layers are not compressed.
func (a *archive) describe(saved savedImage) (v1.Descriptor, error) {
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for n, name := range append([]string{saved.Config}, saved.Layers...) {
		d, ok := a.files[name]
		if !ok {
			return v1.Descriptor{}, fmt.Errorf("the saved images lack %s", name)
		}
		if n == 0 {
			d.MediaType = types.OCIConfigJSON
			m.Config = d
		} else {
			d.MediaType = types.OCIUncompressedLayer
			m.Layers = append(m.Layers, d)
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return v1.Descriptor{}, err
	}
	d, err := a.keep(bytes.NewReader(raw))
	d.MediaType = m.MediaType
	return d, err
}
