package scratch

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"todo.local/magefiles/internal/fault"
)

// nodeImage is an image that goes into the node's containerd: one program, alone or on top of a base that the Docker
// engine has.
type nodeImage struct {
	ref    string
	binary string // its path here; none for a base as it is
	base   string // image in the engine; none for a program alone
}

// addon names an image that only this project builds. The name leads nowhere, so that nothing is ever pulled in its
// place.
func addon(program, version string) string { return "todo.local/" + program + ":" + version }

// controlPlane maps the images that kubeadm asks for to the programs that go into them.
func controlPlane(listed string, binaries map[string]string, proxyBase string) ([]nodeImage, error) {
	var out []nodeImage
	for ref := range strings.Lines(listed) {
		ref = strings.TrimSpace(ref)
		repo, _, _ := strings.Cut(path.Base(ref), ":")
		binary, ok := binaries[repo]
		if !ok {
			return nil, fault.New(fault.CodeBuild, "kubeadm asks for "+ref+", which nothing here builds", "correct the versions in pins.yaml")
		}
		i := nodeImage{ref: ref, binary: binary}
		if repo == "kube-proxy" {
			i.base = proxyBase
		}
		out = append(out, i)
	}
	return out, nil
}

// writeLayout puts images into an OCI layout, which containerd imports in one go. Layers are zstd: unpacked in a
// moment, and a third of the size to copy whenever a node is made.
func (s *Source) writeLayout(ctx context.Context, dir string, images []nodeImage) error {
	out, err := layout.Write(dir, empty.Index)
	if err != nil {
		return cacheFault(err)
	}
	bases, remove, err := s.saved(ctx, images)
	if err != nil {
		return err
	}
	defer remove()
	for _, i := range images {
		if err := ctx.Err(); err != nil {
			return err
		}
		img := empty.Image
		if i.base != "" {
			img = bases[i.base]
		}
		if i.binary != "" {
			if img, err = addProgram(img, i.binary); err != nil {
				return buildFault(err, "the image "+i.ref+" cannot be written", "run again")
			}
		}
		err := out.AppendImage(img, layout.WithAnnotations(map[string]string{"io.containerd.image.name": i.ref}),
			layout.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
		if err != nil {
			return buildFault(err, "the image "+i.ref+" cannot be written", "run again")
		}
	}
	return nil
}

// saved reads the bases of images out of the Docker engine. What it returns reads from a file, until that is removed.
func (s *Source) saved(ctx context.Context, images []nodeImage) (map[string]v1.Image, func(), error) {
	bases := map[string]v1.Image{}
	var refs []string
	for _, i := range images {
		if _, ok := bases[i.base]; i.base != "" && !ok {
			bases[i.base] = nil
			refs = append(refs, i.base)
		}
	}
	dir, remove, err := s.store.temp("saved")
	if err != nil || len(bases) == 0 {
		return bases, func() {}, err
	}
	archive := filepath.Join(dir, "images.tar")
	if err := s.save(ctx, archive, refs); err != nil {
		remove()
		return nil, nil, buildFault(err, "Docker cannot save its images", "run again")
	}
	for ref := range bases {
		if bases[ref], err = readSaved(archive, ref); err != nil {
			remove()
			return nil, nil, buildFault(err, "Docker's archive of "+ref+" cannot be read", "run again")
		}
	}
	return bases, remove, nil
}

func (s *Source) save(ctx context.Context, archive string, refs []string) error {
	f, err := os.Create(archive)
	if err != nil {
		return err
	}
	return errors.Join(s.docker.Save(ctx, f, refs...), f.Close())
}

// readSaved gives one image of a Docker archive with its layers compressed anew.
func readSaved(archive, ref string) (v1.Image, error) {
	tag, err := name.NewTag(ref)
	if err != nil {
		return nil, err
	}
	saved, err := tarball.ImageFromPath(archive, &tag)
	if err != nil {
		return nil, err
	}
	layers, err := saved.Layers()
	if err != nil {
		return nil, err
	}
	img := empty.Image
	for _, l := range layers {
		if img, err = addLayer(img, l.Uncompressed); err != nil {
			return nil, err
		}
	}
	return configured(img, nil)
}

// addProgram puts one file into /usr/local/bin and makes it the entry point.
func addProgram(img v1.Image, binary string) (v1.Image, error) {
	img, err := addLayer(img, func() (io.ReadCloser, error) { return programTar(binary) })
	if err != nil {
		return nil, err
	}
	return configured(img, []string{"/usr/local/bin/" + filepath.Base(binary)})
}

func addLayer(img v1.Image, open tarball.Opener) (v1.Image, error) {
	l, err := tarball.LayerFromOpener(open, tarball.WithCompression(compression.ZStd), tarball.WithMediaType(types.OCILayerZStd),
		tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(img, l)
}

func configured(img v1.Image, entrypoint []string) (v1.Image, error) {
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", arch
	cfg.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	cfg.Config.Entrypoint = entrypoint
	img, err = mutate.ConfigFile(img, cfg)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigMediaType(mutate.MediaType(img, types.OCIManifestSchema1), types.OCIConfigJSON), nil
}

// programTar is the layer of one program: its folders, a /tmp, and the file, owned by root and without dates, so that
// the same program always makes the same layer. It streams, since programs are up to 180 MB.
func programTar(binary string) (io.ReadCloser, error) {
	f, err := os.Open(binary)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", err, f.Close())
	}
	var head, end bytes.Buffer
	w := tar.NewWriter(&head)
	for _, dir := range []string{"usr/", "usr/local/", "usr/local/bin/"} {
		_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}) // a buffer takes everything
	}
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777})
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "usr/local/bin/" + filepath.Base(binary), Mode: 0o755, Size: info.Size()})
	_, _ = end.Write(make([]byte, (512-info.Size()%512)%512+1024)) // the file is padded to its block, the archive ends with two empty ones
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(&head, f, &end), f}, nil
}
