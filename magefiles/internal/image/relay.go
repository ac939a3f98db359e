package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/ui"
)

const (
	// relayRepository holds all images: the engine remembers what it pushed by repository, and so pushes a layer that
	// two images share once.
	relayRepository = "todo"
	// relayPort stays the same for that memory's sake. Where it is taken, any other does, and more is pushed.
	relayPort = "25381"
	// unusedBlobs are forgotten after this time.
	unusedBlobs = 14 * 24 * time.Hour
)

// relay is a container registry on 127.0.0.1, for as long as a transfer takes. The engine pushes to it the layers that
// it never pushed before, which is faster than reading whole images out of it; what it pushed is kept in a folder.
type relay struct {
	docker *engine.Docker
	blobs  blobFolder
	addr   string
	server *http.Server
}

func openRelay(ctx context.Context, d *engine.Docker, dir string) (*relay, error) {
	blobs := blobFolder(dir)
	if err := blobs.prune(time.Now().Add(-unusedBlobs)); err != nil {
		return nil, err
	}
	listen := func(port string) (net.Listener, error) {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	}
	l, err := listen(relayPort)
	if err != nil {
		l, err = listen("0")
	}
	if err != nil {
		return nil, err
	}
	r := &relay{docker: d, blobs: blobs, addr: l.Addr().String(), server: &http.Server{
		Handler:           registry.New(registry.WithBlobHandler(blobs), registry.Logger(log.New(io.Discard, "", 0))),
		ReadHeaderTimeout: 10 * time.Second,
	}}
	go func() { _ = r.server.Serve(l) }()
	return r, nil
}

func (r *relay) close() { _ = r.server.Close() }

var relayAddr = net.JoinHostPort("127.0.0.1", relayPort)

// forgetPushes removes the names that killed pushes left, unless somebody pushes now: whoever has the relay's port has
// the only relay there.
func forgetPushes(ctx context.Context, d *engine.Docker) {
	if l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", relayAddr); err == nil {
		defer func() { _ = l.Close() }()
		removePushNames(ctx, d)
	}
}

func removePushNames(ctx context.Context, d *engine.Docker) {
	names, _ := d.ImagesNamed(ctx, relayAddr+"/"+relayRepository+":") // what is left, the next run removes
	for _, name := range names {
		_ = d.Untag(ctx, name)
	}
}

// take has the engine push the images, and describes what came as an OCI image layout. An engine that keeps its images
// in containerd may push an index: the image for each platform, with attestations.
func (r *relay) take(ctx context.Context, t *ui.Task, refs []string, node platform) (*layout, error) {
	l := newLayout(r)
	for _, ref := range refs {
		pushed, err := r.push(ctx, t, ref)
		if err != nil {
			return nil, err
		}
		_, mediaType, err := r.manifest(ctx, pushed)
		if err != nil {
			return nil, err
		}
		if err := l.add(ctx, ref, v1.Descriptor{Digest: pushed, MediaType: mediaType}, node); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// push sends one image under a name that it has for as long as that takes.
func (r *relay) push(ctx context.Context, t *ui.Task, ref string) (v1.Hash, error) {
	target := r.addr + "/" + relayRepository + ":" + strings.NewReplacer("/", "-", ":", "-", "@", "-").Replace(ref)
	if err := r.docker.Tag(ctx, ref, target); err != nil {
		return v1.Hash{}, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = r.docker.Untag(ctx, target)
	}()
	pushed, err := dockerPush(ctx, r.docker, t, target)
	if err != nil {
		return v1.Hash{}, err
	}
	return v1.NewHash(pushed.Digest.String())
}

// manifest asks the registry for a manifest or an index that was pushed.
func (r *relay) manifest(ctx context.Context, h v1.Hash) (raw []byte, mediaType types.MediaType, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.addr+"/v2/"+relayRepository+"/manifests/"+h.String(), nil)
	if err != nil {
		return nil, "", err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req) // no proxy: it is this process
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s did not arrive: %s", h, answer.Status)
	}
	raw, err = io.ReadAll(answer.Body)
	return raw, types.MediaType(answer.Header.Get("Content-Type")), err
}

// path is where a blob that was pushed lies.
func (r *relay) path(h v1.Hash) string { return r.blobs.path(h.Hex) }

// blobFolder keeps blobs as files named by their SHA-256, for the registry. The modification time is that of the last
// use.
type blobFolder string

func (f blobFolder) path(hex string) string { return filepath.Join(string(f), hex) }

// Stat gives the size of a blob. What is in the folder was checked on its way in.
func (f blobFolder) Stat(_ context.Context, _ string, h v1.Hash) (int64, error) {
	info, err := os.Stat(f.path(h.Hex))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, registry.ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	now := time.Now()
	return info.Size(), os.Chtimes(f.path(h.Hex), now, now)
}

// Get opens a blob.
func (f blobFolder) Get(_ context.Context, _ string, h v1.Hash) (io.ReadCloser, error) {
	return os.Open(f.path(h.Hex))
}

// Put keeps a blob. The reader fails where the content is not what its digest says; then nothing is kept.
func (f blobFolder) Put(_ context.Context, _ string, h v1.Hash, content io.ReadCloser) error {
	tmp, err := os.CreateTemp(string(f), ".incoming-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // a name that is gone by then, if all went well
	_, err = io.Copy(tmp, content)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), f.path(h.Hex))
}

// prune makes the folder and forgets what was last used before the given time.
func (f blobFolder) prune(before time.Time) error {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			_ = os.Remove(f.path(e.Name()))
		}
	}
	return nil
}
