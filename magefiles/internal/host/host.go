// Package host is the machine that this program runs on: what its system, its kernel and its ports are like.
package host

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// capSysResource is the number of CAP_SYS_RESOURCE, which runc needs to start a privileged container.
const capSysResource = 24

// Host is the machine that this program runs on. All files are looked up under Root, so that tests can lay out a
// machine of their own.
type Host struct{ Root string }

// Local is the real machine.
var Local = Host{Root: "/"}

// Path is where a file of the machine lies.
func (h Host) Path(rel string) string { return filepath.Join(h.Root, rel) }

// Read gives the content of a small file without the white space around it; nothing where it cannot be read.
func (h Host) Read(rel string) string {
	b, err := os.ReadFile(h.Path(rel))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// WriteFile replaces a file whole or not at all.
func (h Host) WriteFile(rel string, content []byte, mode fs.FileMode) error {
	path := h.Path(rel)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".todo-deploy-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // fails where it was renamed
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// IsFile tells whether there is a file at a path, and no folder.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Systemd tells whether systemd manages this machine's services.
func (h Host) Systemd() bool {
	info, err := os.Stat(h.Path("run/systemd/system"))
	return err == nil && info.IsDir()
}

// Distribution is what /etc/os-release says.
type Distribution struct {
	ID   string   // such as debian
	Like []string // what it derives from
	Name string   // for people
}

// Is tells whether it is one of the named distributions, or derives from one.
func (d Distribution) Is(ids ...string) bool {
	for _, id := range ids {
		if d.ID == id {
			return true
		}
		for _, like := range d.Like {
			if like == id {
				return true
			}
		}
	}
	return false
}

// Distribution reads /etc/os-release; all is empty where there is none.
func (h Host) Distribution() Distribution {
	var d Distribution
	s := bufio.NewScanner(strings.NewReader(h.Read("etc/os-release")))
	for s.Scan() {
		k, v, _ := strings.Cut(s.Text(), "=")
		v = strings.Trim(v, `"'`)
		switch k {
		case "ID":
			d.ID = v
		case "ID_LIKE":
			d.Like = strings.Fields(v)
		case "PRETTY_NAME":
			d.Name = v
		}
	}
	return d
}

// EnginePID is the process of the dockerd that runs on this machine under its usual pid file; 0 where there is none, as
// with an engine in a virtual machine or behind a socket handed into a container.
func (h Host) EnginePID() int {
	pid, err := strconv.Atoi(h.Read("run/docker.pid"))
	if err != nil || h.Command(pid) != "dockerd" {
		return 0
	}
	return pid
}

// Command is the name of a running process, or nothing.
func (h Host) Command(pid int) string {
	if !h.Alive(pid) {
		return ""
	}
	return h.Read(filepath.Join("proc", strconv.Itoa(pid), "comm"))
}

// Alive is false for a process that ended and that nobody has collected yet.
func (h Host) Alive(pid int) bool {
	stat := h.Read(filepath.Join("proc", strconv.Itoa(pid), "stat"))
	_, rest, ok := strings.Cut(stat, ") ")
	return ok && !strings.HasPrefix(rest, "Z")
}

// EngineLacksSysResource tells whether the dockerd of this machine can not hand out CAP_SYS_RESOURCE, so that
// privileged containers start only under the bounded runtime, and containerd inside them must not lower OOM scores. It
// is false where the engine runs elsewhere.
func (h Host) EngineLacksSysResource() bool {
	pid := h.EnginePID()
	return pid != 0 && h.LacksSysResource(strconv.Itoa(pid))
}

// LacksSysResource looks at the capability bounding set of a process, named by its folder in /proc. It is false where
// that is not known.
func (h Host) LacksSysResource(process string) bool {
	s := bufio.NewScanner(strings.NewReader(h.Read(filepath.Join("proc", process, "status"))))
	for s.Scan() {
		if v, ok := strings.CutPrefix(s.Text(), "CapBnd:"); ok {
			mask, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			return err == nil && mask&(1<<capSysResource) == 0
		}
	}
	return false
}

// A Limit is a kernel limit that a cluster node needs raised.
type Limit struct {
	Name   string // as sysctl names it
	Wanted int    // the least value that a node and its pods get along with
	Value  int    // the value now; -1 where this kernel has no such limit
}

// Low tells whether the limit has to be raised.
func (l Limit) Low() bool { return l.Value >= 0 && l.Value < l.Wanted }

// Limits gives the inotify limits: too low, and a node's services fail with "too many open files" in ways that look
// like something else.
func (h Host) Limits() []Limit {
	limits := []Limit{
		{Name: "fs.inotify.max_user_instances", Wanted: 512},
		{Name: "fs.inotify.max_user_watches", Wanted: 524288},
	}
	for i := range limits {
		n, err := strconv.Atoi(h.Read(limits[i].File()))
		if err != nil {
			n = -1
		}
		limits[i].Value = n
	}
	return limits
}

// File is where the kernel shows the limit, and takes another.
func (l Limit) File() string {
	return filepath.Join("proc/sys", strings.ReplaceAll(l.Name, ".", "/"))
}
