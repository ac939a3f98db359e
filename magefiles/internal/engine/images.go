package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"todo.local/magefiles/internal/fault"
)

// Image is what the engine knows of one image.
type Image struct {
	ID      string
	Tags    []string
	Digests []string // name@sha256:…, for images that came from a registry
	Labels  map[string]string
}

// Images asks the engine for several images and gives those that it has, by the name asked for.
func (d *Docker) Images(ctx context.Context, asked ...string) (map[string]Image, error) {
	found := map[string]Image{}
	err := d.ask(ctx, "image inspect "+strings.Join(asked, " "), func(ctx context.Context) error {
		for _, ref := range asked {
			got, err := d.API.ImageInspect(ctx, ref)
			if errdefs.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			i := Image{ID: got.ID, Tags: got.RepoTags, Digests: got.RepoDigests}
			if got.Config != nil {
				i.Labels = got.Config.Labels
			}
			found[ref] = i
		}
		return nil
	})
	if err == nil {
		return found, nil
	}
	if known := Explain(err); known != nil {
		return nil, known
	}
	return nil, fault.Wrap(err, fault.CodeEnvironment, "Docker does not answer", "run the target doctor")
}

// ImagesNamed gives the names of images that begin with a prefix.
func (d *Docker) ImagesNamed(ctx context.Context, prefix string) (names []string, err error) {
	err = d.ask(ctx, "image ls", func(ctx context.Context) error {
		list, err := d.API.ImageList(ctx, client.ImageListOptions{})
		for _, i := range list.Items {
			for _, name := range i.RepoTags {
				if strings.HasPrefix(name, prefix) {
					names = append(names, name)
				}
			}
		}
		return err
	})
	return names, err
}

// Tag gives an image a further name.
func (d *Docker) Tag(ctx context.Context, ref, name string) error {
	return d.ask(ctx, "tag "+ref+" "+name, func(ctx context.Context) error {
		_, err := d.API.ImageTag(ctx, client.ImageTagOptions{Source: ref, Target: name})
		return err
	})
}

// RemoveImage takes a name from an image, and removes it where that was the last one, with the layers that only it
// has.
func (d *Docker) RemoveImage(ctx context.Context, ref string) error {
	return d.ask(ctx, "image rm "+ref, func(ctx context.Context) error {
		_, err := d.API.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
		return err
	})
}

// Untag takes a name from an image that has others.
func (d *Docker) Untag(ctx context.Context, name string) error {
	return d.ask(ctx, "image rm --no-prune "+name, func(ctx context.Context) error {
		_, err := d.API.ImageRemove(ctx, name, client.ImageRemoveOptions{})
		return err
	})
}

// Save writes images as an archive.
func (d *Docker) Save(ctx context.Context, to io.Writer, refs ...string) error {
	archive, err := d.API.ImageSave(ctx, refs)
	if err == nil {
		_, err = io.Copy(to, archive)
		err = errors.Join(err, archive.Close())
	}
	return d.refusal(ctx, "save "+strings.Join(refs, " "), err)
}

// Import makes an image of a file system in an archive. changes are instructions of a Dockerfile.
func (d *Docker) Import(ctx context.Context, archive io.Reader, ref string, changes ...string) error {
	answer, err := d.API.ImageImport(ctx, client.ImageImportSource{Source: archive, SourceName: "-"}, ref, client.ImageImportOptions{Changes: changes})
	if err == nil {
		defer func() { _ = answer.Close() }()
		err = messages(answer, func(jsonstream.Message) {})
	}
	return d.refusal(ctx, "import "+ref, err)
}

// messages reads the stream of messages that long work gives. A failure after its beginning comes as one of them.
func messages(stream io.Reader, each func(jsonstream.Message)) error {
	for decoder := json.NewDecoder(stream); ; {
		var m jsonstream.Message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != nil:
			return m.Error
		}
		each(m)
	}
}
