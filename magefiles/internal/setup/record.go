package setup

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/host"
)

// recordFile says what setup did to this machine, for whoever wants to undo it.
const recordFile = "var/lib/todo-deploy/setup.json"

// record is the content of recordFile. Entries are written before the deed, so that an interrupted setup leaves none
// out.
type record struct {
	Packages []string          `json:"packages,omitempty"` // installed, and absent before
	Files    []string          `json:"files,omitempty"`    // written
	Sysctls  map[string]int    `json:"sysctls,omitempty"`  // raised: the value before
	Dockerd  *startedDockerd   `json:"dockerd,omitempty"`  // started by hand
	Undo     map[string]string `json:"undo"`               // what undoes each of these
}

type startedDockerd struct {
	PID  int    `json:"pid"`
	Boot string `json:"boot"` // the kernel's id of this boot: a pid means nothing after the next one
	Log  string `json:"log"`
}

func readRecord(h host.Host) (rec record, err error) {
	path := h.Path(recordFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return rec, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &rec)
	}
	return rec, fault.Wrap(err, fault.CodeEnvironment, path+" cannot be read", "correct it or move it away: it only records what setup did")
}

// writeRecord replaces the record whole or not at all.
func writeRecord(h host.Host, rec record) error {
	rec.Undo = map[string]string{
		"packages": "apt-get purge PACKAGES, then apt-get autoremove",
		"files":    "rm FILES",
		"sysctls":  "sysctl -w NAME=VALUE",
		"dockerd":  "kill PID",
	}
	b, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	return h.WriteFile(recordFile, append(b, '\n'), 0o644)
}

// add gives list with the items that it lacks.
func add(list []string, items ...string) []string {
	for _, item := range items {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}
