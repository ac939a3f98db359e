package image

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// unusedImages are removed from the engine after this time. The nodes have what they run; the engine's are there to be
// sent to one.
const unusedImages = 3 * 24 * time.Hour

// Prune removes what other versions of the images to keep left behind: from the node at once, from the engine what no
// cluster was given for some days. It gives the names of what is gone. What an interrupt leaves is removed the next
// time.
func (n *Node) Prune(ctx context.Context, keep []string) ([]string, error) {
	forgetPushes(ctx, n.Docker)
	removed := n.pruneEngine(ctx, keep, time.Now().Add(-unusedImages))
	there, err := n.images(ctx)
	if err != nil {
		return removed, err
	}
	superseded, names := supersededIn(there, keep)
	if len(names) > 0 {
		if _, err := n.ctr(ctx, append([]string{"images", "remove"}, names...)...); err != nil {
			return removed, err
		}
	}
	removed = append(removed, superseded...)
	slices.Sort(removed)
	return slices.Compact(removed), nil
}

// supersededIn gives the images of a node that are other versions of the ones to keep, and all names that these have
// there: containerd also knows an image by its ID. A version whose content is that of a kept one stays.
func supersededIn(there map[string]digest.Digest, keep []string) (superseded, names []string) {
	kept, families := map[digest.Digest]bool{}, map[string]bool{}
	for _, ref := range keep {
		if strings.Contains(ref, "@") {
			continue // of a registry, which the node gets and forgets by itself
		}
		kept[there[fullName(ref)]] = true
		families[family(fullName(ref))] = true
	}
	gone := map[digest.Digest]bool{}
	for name, d := range there {
		if families[family(name)] && !kept[d] {
			superseded = append(superseded, strings.TrimPrefix(name, "docker.io/library/"))
			gone[d] = true
		}
	}
	for name, d := range there {
		if gone[d] {
			names = append(names, name)
		}
	}
	slices.Sort(superseded)
	slices.Sort(names)
	return superseded, names
}

// family is the name of an image without its tag, or nothing where it is no name.
func family(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return ""
	}
	return named.Name()
}

// pruneEngine removes images that were built here from the engine if they were last given to a node before the given
// time, with the records of that. One that cannot be removed, as a container uses it, stays with its record.
func (n *Node) pruneEngine(ctx context.Context, keep []string, before time.Time) (removed []string) {
	entries, _ := os.ReadDir(n.Records) // there is none before the first transfer
	for _, e := range entries {
		path := filepath.Join(n.Records, e.Name())
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue
		}
		var r record
		raw, err := os.ReadFile(path)
		if err != nil || json.Unmarshal(raw, &r) != nil || slices.Contains(keep, r.Ref) {
			continue
		}
		found, err := n.Docker.Images(ctx, r.Ref)
		if err != nil {
			continue
		}
		if i, ok := found[r.Ref]; ok {
			if i.Labels[Label] == "" {
				continue // a base image, whose keeping is not decided here
			}
			if err := n.Docker.RemoveImage(ctx, r.Ref); err != nil {
				continue
			}
			removed = append(removed, r.Ref)
		}
		_ = os.Remove(path)
	}
	return removed
}
