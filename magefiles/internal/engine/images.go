package engine

import (
	"context"
	"errors"
	"slices"
	"strings"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// Image is what the engine knows of one image.
type Image struct {
	ID      string
	Tags    []string
	Digests []string // name@sha256:…, for images that came from a registry
}

// imageFormat has the names of the client's own fields. With the engine's, such as Id, clients before version 29 turn
// to what the engine sent, in which their join finds no strings.
const imageFormat = `{{.ID}} {{join .RepoTags ","}} {{join .RepoDigests ","}}`

// Images asks the engine for several images at once and gives those that it has, by the name asked for.
func (d *Docker) Images(ctx context.Context, asked ...string) (map[string]Image, error) {
	args := []string{"image", "inspect", "--format", imageFormat}
	out, err := d.Output(ctx, append(args, asked...)...)
	var failed *run.Error
	if err != nil && !(errors.As(err, &failed) && strings.Contains(strings.ToLower(failed.Output+failed.Err.Error()), "no such image")) {
		if known := Explain(err); known != nil {
			return nil, known
		}
		return nil, fault.Wrap(err, fault.CodeEnvironment, "Docker does not answer", "run the target doctor")
	}
	found := map[string]Image{}
	for line := range strings.Lines(out) {
		id, names, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		tags, digests, _ := strings.Cut(names, " ")
		info := Image{ID: id, Tags: splitList(tags), Digests: splitList(digests)}
		for _, ref := range asked {
			if slices.ContainsFunc(info.Tags, func(tag string) bool { return Familiar(tag) == Familiar(ref) }) {
				found[ref] = info
			}
		}
	}
	return found, nil
}

// Familiar is a reference without the parts that Docker leaves out in print.
func Familiar(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/")
}

func splitList(s string) []string {
	return strings.FieldsFunc(strings.TrimSpace(s), func(r rune) bool { return r == ',' })
}
