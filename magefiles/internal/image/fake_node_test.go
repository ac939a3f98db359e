package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"

	"todo.local/magefiles/internal/run"
)

// fakeNode is a node's containerd: it takes what is whole, and nothing else.
type fakeNode struct {
	machine  string // as uname has it
	config   string // of containerd
	unpacks  string // the one snapshotter that works there
	content  map[digest.Digest][]byte
	images   map[string]digest.Digest
	arrived  []digest.Digest // blobs of the last import
	pretends bool            // that an import went well, and forgets it
}

func newNode() *fakeNode {
	return &fakeNode{
		machine: "x86_64", config: dump("3", "overlayfs"), unpacks: "overlayfs",
		content: map[digest.Digest][]byte{}, images: map[string]digest.Digest{},
	}
}

func (n *fakeNode) on(fake *run.Fake) {
	fake.OnFunc("docker exec n uname -m", func(run.Cmd) (string, error) { return n.machine + "\n", nil })
	fake.OnFunc("docker exec n ctr --namespace k8s.io content list", func(run.Cmd) (string, error) {
		var out strings.Builder
		for d := range n.content {
			out.WriteString(d.String() + "\n")
		}
		return out.String(), nil
	})
	fake.OnFunc("docker exec n ctr --namespace k8s.io images list", func(run.Cmd) (string, error) { return n.list(), nil })
	fake.OnFunc("docker exec n containerd config dump", func(run.Cmd) (string, error) { return n.config, nil })
	fake.OnFunc("docker exec -i n sh -c ctr --namespace k8s.io images import", func(c run.Cmd) (string, error) {
		into := "--local --snapshotter " + n.unpacks + " "
		if n.unpacks == "overlayfs" { // the transfer service's own
			into = ""
		}
		if !strings.Contains(c.String(), "images import "+into+"--all-platforms --digests=false - ") {
			return "", errors.New("ctr: unable to initialize unpacker: no unpack platforms defined: invalid argument")
		}
		if err := n.take(c.Stdin); err != nil {
			return "", fmt.Errorf("ctr: %w", err)
		}
		return n.list(), nil
	})
}

func (n *fakeNode) list() string {
	var out strings.Builder
	out.WriteString("REF TYPE DIGEST SIZE\n")
	for ref, d := range n.images {
		fmt.Fprintf(&out, "%s application/vnd.oci.image.manifest.v1+json %s 1 MiB\n", ref, d)
	}
	return out.String()
}

// take imports an OCI image layout.
func (n *fakeNode) take(r io.Reader) error {
	n.arrived = nil
	var index v1.IndexManifest
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(tr)
		if err != nil {
			return err
		}
		switch dir, base := path.Split(h.Name); {
		case dir == "blobs/sha256/":
			if d := digest.FromBytes(raw); d.Encoded() != base {
				return fmt.Errorf("unexpected digest %s of %s", d, h.Name)
			}
			n.content[digest.FromBytes(raw)] = raw
			n.arrived = append(n.arrived, digest.FromBytes(raw))
		case h.Name == "index.json":
			if err := json.Unmarshal(raw, &index); err != nil {
				return err
			}
		}
	}
	for _, d := range index.Manifests {
		if !d.MediaType.IsImage() {
			return fmt.Errorf("%s is %s", d.Digest, d.MediaType)
		}
		if err := n.whole(d.Digest); err != nil {
			return err
		}
		if !n.pretends {
			n.images[d.Annotations[nameAnnotation]] = digest.Digest(d.Digest.String())
		}
	}
	return nil
}

// whole tells whether the node has an image with all its parts.
func (n *fakeNode) whole(h v1.Hash) error {
	raw, ok := n.content[digest.Digest(h.String())]
	if !ok {
		return fmt.Errorf("content digest %s: not found", h)
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	for _, part := range append(m.Layers, m.Config) {
		if int64(len(n.content[digest.Digest(part.Digest.String())])) != part.Size {
			return fmt.Errorf("content digest %s: not found", part.Digest)
		}
	}
	return nil
}
