package image

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
)

// record says that an image of the engine is the given manifest on a node. Its file's modification time is that of the
// last use. Losing one costs one transfer.
type record struct {
	Ref      string        `json:"ref"`
	ID       string        `json:"id"`
	Manifest digest.Digest `json:"manifest"`
}

func (n *Node) record(ref, id string, d digest.Digest) error {
	raw, err := json.Marshal(record{ref, id, d})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.Records, 0o755); err != nil {
		return err
	}
	return os.WriteFile(n.recordPath(ref), raw, 0o644)
}

func (n *Node) recorded(ref, id string) digest.Digest {
	var r record
	raw, err := os.ReadFile(n.recordPath(ref))
	if err != nil || json.Unmarshal(raw, &r) != nil || r.ID != id {
		return ""
	}
	return r.Manifest
}

func (n *Node) recordPath(ref string) string {
	return filepath.Join(n.Records, strings.NewReplacer("/", "_", ":", "_").Replace(ref)+".json")
}
