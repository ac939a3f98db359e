package image

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/bitfield/script"
	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// Node is the containerd of a cluster node that runs as a container of the Docker engine. One is for one run: what the
// node has is asked once.
type Node struct {
	Docker    *engine.Docker
	Container string // name of the node's container
	Blobs     string // folder that keeps what the engine gave
	Records   string // folder that remembers which manifest digest stands for which image of the engine

	// One transfer goes at a time: images share layers, and the second finds those that the first brought. The next is
	// read meanwhile.
	reading, moving sync.Mutex

	first sync.Once
	there map[string]digest.Digest // what the node had when it was first asked
	err   error                    // of asking
}

// Load brings the images to the node, moving only the layers that it lacks, and proves by digest that they are there.
func (n *Node) Load(ctx context.Context, t *ui.Task, refs []string) error {
	ids, err := n.ids(ctx, refs)
	if err != nil {
		return err
	}
	missing, err := n.missing(ctx, refs, ids)
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		t.Unchanged("on the node already")
		return nil
	}
	moved, err := n.transfer(ctx, t, missing, ids)
	if err != nil {
		return err
	}
	t.Result("%s: %.1f MB moved", strings.Join(missing, ", "), float64(moved)/1e6)
	return nil
}

// missing gives the images that are not known to be on the node. One that never went to any needs no question.
func (n *Node) missing(ctx context.Context, refs []string, ids map[string]string) (missing []string, err error) {
	for _, ref := range refs {
		want := n.recorded(ref, ids[ref])
		if want == "" {
			missing = append(missing, ref)
			continue
		}
		// Three images are looked for at once, and an answer takes a fair part of a deploy that changes nothing.
		if n.first.Do(func() { n.there, n.err = n.images(ctx) }); n.err != nil {
			return nil, n.err
		}
		if n.there[fullName(ref)] != want {
			missing = append(missing, ref)
			continue
		}
		now := time.Now()
		_ = os.Chtimes(n.recordPath(ref), now, now) // it is in use: see Prune
	}
	return missing, nil
}

// ids gives the engine's own identity of each image.
func (n *Node) ids(ctx context.Context, refs []string) (map[string]string, error) {
	found, err := n.Docker.Images(ctx, refs...)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, ref := range refs {
		i, ok := found[ref]
		if !ok {
			return nil, fault.New(fault.CodeBuild, "the image "+ref+" is not in the Docker engine", "run: go tool mage image:build")
		}
		ids[ref] = i.ID
	}
	return ids, nil
}

// transfer takes the images from the engine and streams what the node lacks into its containerd.
func (n *Node) transfer(ctx context.Context, t *ui.Task, refs []string, ids map[string]string) (int64, error) {
	spool, err := os.MkdirTemp("", "todo-images-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(spool) }()

	t.Status("waiting for its turn")
	var l *layout
	var has map[digest.Digest]bool
	var snapshotter string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		n.reading.Lock()
		defer n.reading.Unlock()
		l, err = n.read(gctx, t, refs, spool)
		return err
	})
	g.Go(func() (err error) {
		n.moving.Lock()
		has, err = n.blobs(gctx)
		return err
	})
	g.Go(func() (err error) {
		snapshotter, err = n.snapshotter(gctx)
		return err
	})
	err = g.Wait()
	defer n.moving.Unlock()
	if err != nil {
		return 0, err
	}
	t.Status("moving layers")
	moved, there, err := n.receive(ctx, l, has, snapshotter)
	if err != nil {
		l.removeDamaged() // which may be why
		return 0, fault.Wrap(err, fault.CodeCluster, "the node "+n.Container+" did not take the images", "run the target again; if it fails again, restart the node: go tool mage cluster:down deploy")
	}
	for _, ref := range refs {
		want := l.digests[ref]
		if got := there[fullName(ref)]; got == "" || got != want {
			return 0, fault.New(fault.CodeCluster, fmt.Sprintf("the node %s has %s as %q instead of %s", n.Container, ref, got, want),
				"run the target again; if it fails again, restart the node: go tool mage cluster:down deploy")
		}
		if err := n.record(ref, ids[ref], want); err != nil {
			return 0, err
		}
	}
	return moved, nil
}

// read gets the images out of the engine: what it never pushed before, or whole images where it cannot push here, as
// from within a virtual machine.
func (n *Node) read(ctx context.Context, t *ui.Task, refs []string, spool string) (*layout, error) {
	t.Status("reading %s", strings.Join(refs, ", "))
	r, err := openRelay(ctx, n.Docker, n.Blobs)
	if err == nil {
		defer r.close()
		l, err := r.take(ctx, t, refs, n.platform(ctx))
		if err == nil || ctx.Err() != nil {
			return l, err
		}
		slog.Debug("the engine did not push its images: " + err.Error())
	}
	a, err := n.save(ctx, refs, spool)
	if err == nil {
		var l *layout
		if l, err = a.layout(ctx, refs, n.platform(ctx)); err == nil {
			return l, nil
		}
	}
	return nil, fault.Wrap(err, fault.CodeBuild, strings.Join(refs, ", ")+" cannot be read out of the Docker engine", "run the target again")
}

// platform gives the question what the node runs. Only an index of several images needs the answer.
func (n *Node) platform(ctx context.Context) platform {
	return func() (v1.Platform, error) {
		out, err := n.Docker.Exec(ctx, n.Container, "uname", "-m")
		if err != nil {
			return v1.Platform{}, fault.Wrap(err, fault.CodeCluster, "the node "+n.Container+" does not answer", "run: go tool mage cluster:up")
		}
		if arch, ok := architectures[out]; ok {
			out = arch
		}
		return v1.Platform{OS: "linux", Architecture: out}, nil
	}
}

// architectures are those that images call otherwise than the kernel does.
var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

func (n *Node) save(ctx context.Context, refs []string, spool string) (*archive, error) {
	pr, pw := io.Pipe()
	var a *archive
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		err := n.Docker.Save(ctx, pw, refs...)
		pw.CloseWithError(err)
		return err
	})
	g.Go(func() error {
		var err error
		a, err = readArchive(pr, spool)
		_, _ = io.Copy(io.Discard, pr) // a writer must never wait for a reader that has given up
		return err
	})
	return a, g.Wait()
}

// receive streams a layout into the node's containerd, and gives what that lists afterwards. Both in one call of the
// engine, which takes a fair part of the time that a small change takes.
func (n *Node) receive(ctx context.Context, l *layout, has map[digest.Digest]bool, snapshotter string) (
	moved int64, there map[string]digest.Digest, err error,
) {
	pr, pw := io.Pipe()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer func() { _ = pr.Close() }()
		table, err := n.Docker.ExecCommand(ctx, n.Container, engine.Command{
			Args: []string{"sh", "-c",
				"ctr --namespace k8s.io images import " + unpackingInto(snapshotter) + "--all-platforms --digests=false - >&2" +
					" && ctr --namespace k8s.io images list"},
			Stdin: pr,
		})
		if err == nil {
			there, err = listed(table)
		}
		return err
	})
	g.Go(func() (err error) {
		moved, err = l.write(pw, func(d digest.Digest) bool { return has[d] })
		pw.CloseWithError(err)
		return err
	})
	err = g.Wait()
	return moved, there, err
}

var tableHead = regexp.MustCompile(`^REF\s`)

// images lists the node's images: full name to manifest digest.
func (n *Node) images(ctx context.Context) (map[string]digest.Digest, error) {
	out, err := n.ctr(ctx, "images", "list")
	if err != nil {
		return nil, err
	}
	return listed(out)
}

// listed reads what ctr images list prints.
func listed(table string) (map[string]digest.Digest, error) {
	rows, err := script.Echo(table).RejectRegexp(tableHead).Slice()
	if err != nil {
		return nil, err
	}
	found := map[string]digest.Digest{}
	for _, row := range rows {
		if f := strings.Fields(row); len(f) > 2 {
			found[f[0]] = digest.Digest(f[2])
		}
	}
	return found, nil
}

// blobs lists the content that the node has.
func (n *Node) blobs(ctx context.Context) (map[digest.Digest]bool, error) {
	out, err := n.ctr(ctx, "content", "list", "--quiet")
	if err != nil {
		return nil, err
	}
	has := map[digest.Digest]bool{}
	for _, d := range strings.Fields(out) {
		has[digest.Digest(d)] = true
	}
	return has, nil
}

func (n *Node) ctr(ctx context.Context, args ...string) (string, error) {
	out, err := n.Docker.Exec(ctx, n.Container, append([]string{"ctr", "--namespace", "k8s.io"}, args...)...)
	return out, fault.Wrap(err, fault.CodeCluster, "the containerd of node "+n.Container+" does not answer", "run: go tool mage cluster:up")
}

// fullName is the name that containerd knows an image by: todo-backend:1 is docker.io/library/todo-backend:1.
func fullName(ref string) string {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return ref
	}
	return named.String()
}
