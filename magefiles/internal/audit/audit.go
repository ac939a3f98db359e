// Package audit keeps what assistants were asked, read, proposed and did, in a file that shows whether anybody has
// changed it since: every line holds the hash of the one before.
package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Events of a line.
const (
	Asked    = "asked"    // a person's words
	Read     = "read"     // what was looked at
	Proposed = "proposed" // a change
	Answered = "answered" // what the person said to it
	Done     = "done"     // how it ended
	Refused  = "refused"  // what was asked for and not allowed
)

// Entry is one line.
type Entry struct {
	Time   time.Time `json:"time"`
	Who    string    `json:"who"` // the user of this machine
	By     string    `json:"by"`  // who puts it into words: a model, the built-in interpreter, a client
	Event  string    `json:"event"`
	Detail string    `json:"detail"`
	Before string    `json:"before"` // hash of the line before; empty for the first
	Hash   string    `json:"hash"`   // of this line with an empty hash
}

func (e Entry) sum() string {
	e.Hash = ""
	raw, _ := json.Marshal(e) // strings and a time never fail
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

// Log is a file of entries.
type Log struct{ Path string }

// Add appends one entry. Runs that write at once take turns.
func (l Log) Add(by, event, detail string) (err error) {
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o755); err != nil {
		return err
	}
	lock := flock.New(l.Path + ".lock")
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	before, err := l.last()
	if err != nil {
		return err
	}
	e := Entry{Time: time.Now().UTC(), Who: who(), By: by, Event: event, Detail: detail, Before: before}
	e.Hash = e.sum()
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Close())
}

func who() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return name
}

// last is the hash of the last line. One that cannot be read counts with what it is: the next line then shows that.
func (l Log) last() (string, error) {
	raw, err := os.ReadFile(l.Path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	lines := bytes.Split(bytes.TrimRight(raw, "\n"), []byte("\n"))
	var e Entry
	if err := json.Unmarshal(lines[len(lines)-1], &e); err != nil {
		return "", fmt.Errorf("line %d of %s cannot be read: %w", len(lines), l.Path, err)
	}
	return e.Hash, nil
}

// Verify reads all entries. The error names the first line that is not as it was written, or that has not the one
// before it any more.
func (l Log) Verify() ([]Entry, error) {
	f, err := os.Open(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var all []Entry
	before := ""
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		var e Entry
		switch err := json.Unmarshal(in.Bytes(), &e); {
		case err != nil:
			return all, fmt.Errorf("line %d cannot be read: %w", n, err)
		case e.Hash != e.sum():
			return all, fmt.Errorf("line %d was changed", n)
		case e.Before != before:
			return all, fmt.Errorf("before line %d something was taken out or put in", n)
		}
		before, all = e.Hash, append(all, e)
	}
	return all, in.Err()
}
