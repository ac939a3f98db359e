package engine

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// capSysResource is the number of CAP_SYS_RESOURCE, which runc needs to start a privileged container.
const capSysResource = 24

// Host is the machine that this program runs on. All files are looked up under Root, so that tests can lay out a machine of their own.
type Host struct{ Root string }

// LocalHost is the real machine.
var LocalHost = Host{Root: "/"}

func (h Host) path(rel string) string { return filepath.Join(h.Root, rel) }

func (h Host) read(rel string) string {
	b, err := os.ReadFile(h.path(rel))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Systemd tells whether systemd manages this machine's services.
func (h Host) Systemd() bool {
	info, err := os.Stat(h.path("run/systemd/system"))
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
	s := bufio.NewScanner(strings.NewReader(h.read("etc/os-release")))
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

// EnginePID is the process of the dockerd that runs on this machine under its usual pid file; 0 where there is none, as with an engine in a virtual
// machine or behind a socket handed into a container.
func (h Host) EnginePID() int {
	pid, err := strconv.Atoi(h.read("run/docker.pid"))
	if err != nil || h.command(pid) != "dockerd" {
		return 0
	}
	return pid
}

// command is the name of a running process, or nothing.
func (h Host) command(pid int) string {
	if !h.alive(pid) {
		return ""
	}
	return h.read(filepath.Join("proc", strconv.Itoa(pid), "comm"))
}

// alive is false for a process that ended and that nobody has collected yet.
func (h Host) alive(pid int) bool {
	stat := h.read(filepath.Join("proc", strconv.Itoa(pid), "stat"))
	_, rest, ok := strings.Cut(stat, ") ")
	return ok && !strings.HasPrefix(rest, "Z")
}

// EngineLacksSysResource tells whether the dockerd of this machine can not hand out CAP_SYS_RESOURCE, so that privileged containers start only under
// the bounded runtime, and containerd inside them must not lower OOM scores. It is false where the engine runs elsewhere.
func (h Host) EngineLacksSysResource() bool {
	pid := h.EnginePID()
	return pid != 0 && h.lacksSysResource(strconv.Itoa(pid))
}

// lacksSysResource looks at the capability bounding set of a process, named by its folder in /proc. It is false where that is not known.
func (h Host) lacksSysResource(process string) bool {
	s := bufio.NewScanner(strings.NewReader(h.read(filepath.Join("proc", process, "status"))))
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

// Limits gives the inotify limits: too low, and a node's services fail with "too many open files" in ways that look like something else.
func (h Host) Limits() []Limit {
	limits := []Limit{
		{Name: "fs.inotify.max_user_instances", Wanted: 512},
		{Name: "fs.inotify.max_user_watches", Wanted: 524288},
	}
	for i := range limits {
		n, err := strconv.Atoi(h.read(limits[i].file()))
		if err != nil {
			n = -1
		}
		limits[i].Value = n
	}
	return limits
}

func (l Limit) file() string {
	return filepath.Join("proc/sys", strings.ReplaceAll(l.Name, ".", "/"))
}
