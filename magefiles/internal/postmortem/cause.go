package postmortem

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/words"
)

// Cause is why a node does not come up.
type Cause struct {
	What   string   // one line
	Remedy string   // what the user can do before the next attempt
	Code   int      // the exit code of fault that it belongs to
	Final  bool     // no waiting will change it
	Mend   []string // a command that mends it in the node, where there is one
}

// symptom is a row of the table of causes: where a cause shows, and what to say of it.
type symptom struct {
	in     source
	signs  *regexp.Regexp // matched against each line there, in lower case; the last line that matches is told
	what   string         // goes before the line
	remedy string
	code   int
	lasts  bool                       // no waiting will change it
	mend   func(line string) []string // the command that mends it in the node
}

const (
	readOn     = "the evidence tells more; put that right"
	moreMemory = "give Docker, or this machine, more memory, or end other programs"
	freeSpace  = "free some space: `df -h` shows where, `docker system df` what Docker holds, `docker system prune` removes what nothing uses"
	setupRoot  = "run `go tool mage setup` as root, which raises them"
	otherImage = "let TODO_NODE_IMAGE name a node image of kind for this machine's architecture, or leave it empty"
)

// symptoms are tried in order, the roots before what follows from them: a node without memory has a kubelet that
// fails, too. The last rows of each source take whatever it says. A cause that is met in practice and not told well
// becomes a row, and a case of the table's test.
var symptoms = []symptom{
	// The entrypoint and the init of the node.
	{in: console, signs: sign(`exec format error`),
		what:   "its image is for another architecture than this machine's",
		remedy: otherImage, code: fault.CodeInput, lasts: true},
	{in: console, signs: sign(`inotify.*too many open files|too many open files.*inotify|failed to (create control group inotify object|allocate manager object): too many open files`),
		what: "the kernel's inotify limits are too low", remedy: setupRoot, code: fault.CodeEnvironment, lasts: true},
	{in: console, signs: sign(`read-only file system`),
		what:   "the node cannot write to its disk",
		remedy: "see why Docker's folder is read-only: `dmesg | tail`, `docker info --format {{.DockerRootDir}}`", code: fault.CodeEnvironment, lasts: true},
	{in: console, signs: sign(`no space left on device|disk quota exceeded`),
		what: "the disk is full", remedy: freeSpace, code: fault.CodeEnvironment, lasts: true},

	// What it has of the machine.
	{in: resources, signs: sign(`^killed: `),
		what: "it has too little memory", remedy: moreMemory, code: fault.CodeEnvironment, lasts: true},
	{in: resources, signs: sign(`^short: `),
		what: "it has too little memory", remedy: moreMemory, code: fault.CodeEnvironment},
	{in: resources, signs: sign(`^full: `),
		what: "the disk is full", remedy: freeSpace, code: fault.CodeEnvironment, lasts: true},

	// containerd, without which no kubelet starts.
	{in: containerd, signs: sign(`no space left on device`),
		what: "the disk is full", remedy: freeSpace, code: fault.CodeEnvironment, lasts: true},
	{in: containerd, signs: sign(`^containerd: |level=fatal`),
		what: "the node's containerd does not start", remedy: readOn, code: fault.CodeCluster, lasts: true},

	// The kubelet.
	{in: kubelet, signs: sign(`has some missing paths: /sys/fs/cgroup/`),
		what:   "the kubelet misses a cgroup that another node brought to this machine",
		remedy: readOn, code: fault.CodeCluster, mend: makeCgroups},
	{in: kubelet, signs: sign(`"command failed" err=.*too many open files`),
		what: "the kernel's inotify limits are too low", remedy: setupRoot, code: fault.CodeEnvironment, lasts: true},
	{in: kubelet, signs: sign(`not run on a host using cgroup v1|cgroup v1 support is unsupported`),
		what:   "the kubelet refuses this machine's cgroup v1",
		remedy: "boot the machine with cgroup v2, or use a node image with an older Kubernetes", code: fault.CodeEnvironment, lasts: true},
	{in: kubelet, signs: sign(`"command failed" err=.*containerd\.sock`),
		what: "the kubelet does not reach containerd", remedy: readOn, code: fault.CodeCluster},
	{in: kubelet, signs: sign(`"command failed" err=|failed to run kubelet`),
		what: "the kubelet does not start", remedy: readOn, code: fault.CodeCluster, lasts: true},

	// The control plane. What is started again may find its port still held for a moment, and a stranger's certificate
	// is no sign of a clock.
	{in: pods, signs: sign(`bind: address already in use`),
		what: "a port of the control plane is taken in the node", remedy: readOn, code: fault.CodeCluster},
	{in: pods, signs: sign(`no space left on device`),
		what: "the disk is full", remedy: freeSpace, code: fault.CodeEnvironment, lasts: true},
	{in: pods, signs: sign(`certificate has expired or is not yet valid`),
		what:   "a certificate is not valid at this machine's time of day",
		remedy: "set the clock: `timedatectl status` shows it", code: fault.CodeEnvironment},
	{in: pods, signs: sign(`crc mismatch|wal: .*corrupt|failed to (recover|open) .*(snapshot|backend|wal)`),
		what: "etcd cannot read its data", remedy: "check the disk: `dmesg | tail`", code: fault.CodeCluster, lasts: true},

	// A node that does not run for none of these reasons.
	{in: ending, signs: sign(`^out of memory: `),
		what: "it has too little memory", remedy: moreMemory, code: fault.CodeEnvironment, lasts: true},
	{in: ending, signs: sign(`^error: `),
		what: "its container does not start", remedy: readOn, code: fault.CodeCluster, lasts: true},
	{in: ending, signs: sign(`^ended: `),
		what: "its container ended", remedy: readOn, code: fault.CodeCluster, lasts: true},

	// What the command that failed gave up with.
	{in: answer, signs: sign(`could not find a log line that matches`),
		what: "its image does not start like a node", remedy: otherImage, code: fault.CodeInput},
}

func sign(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// most is how much of what was said is shown in one line.
const most = 300

// Cause names why the node does not come up. Where nothing of the evidence is known to tell, that is what the failed
// command said.
func (e *Evidence) Cause() Cause {
	if known := engine.Explain(e.failure); known != nil {
		return Cause{What: known.Error(), Remedy: fault.Remedy(known), Code: fault.Code(known), Final: true}
	}
	for _, s := range symptoms {
		if line := last(e.current(s.in), s.signs); line != "" {
			c := Cause{What: s.what + ": " + words.Short(plain(line), most), Remedy: s.remedy, Code: s.code, Final: s.lasts}
			if s.mend != nil {
				c.Mend = s.mend(line)
			}
			return c
		}
	}
	return Cause{
		What: words.Short(plain(run.Telling(e.texts[answer])), most), Remedy: "go tool mage doctor checks what a cluster needs", Code: fault.CodeCluster,
	}
}

// booted are the lines with which a program has started. What it complained of before, it got over.
var booted = map[source]string{kubelet: `"Started kubelet"`, containerd: "containerd successfully booted"}

// current is the part of a text that tells of now.
func (e *Evidence) current(about source) string {
	text := e.texts[about]
	if about == console && e.texts[ending] == "" {
		return "" // an init complains of much, and goes on
	}
	if mark, ok := booted[about]; ok {
		if i := strings.LastIndex(text, mark); i >= 0 {
			text = text[i+len(mark):]
		}
	}
	return text
}

// last gives the last line that matches.
func last(text string, signs *regexp.Regexp) (found string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); signs.MatchString(strings.ToLower(line)) {
			found = line
		}
	}
	return found
}

var (
	// ansi is what an init paints its messages with, criPrefix what containerd puts before each line of a pod's log,
	// and klogPrefix what Kubernetes' programs do.
	ansi       = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	criPrefix  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\S+ (stdout|stderr) [FP] `)
	klogPrefix = regexp.MustCompile(`^[IWEF]\d{4} [\d:.]+ +\d+ \S+\] `)
	failed     = regexp.MustCompile(`^"[^"]*" err=("(?:[^"\\]|\\.)*")`)
	tagged     = regexp.MustCompile(`^(full|killed|short|out of memory|error|ended): `)
)

// plain takes away what a program's log puts around a message.
func plain(line string) string {
	for _, decoration := range []*regexp.Regexp{ansi, criPrefix, klogPrefix} {
		line = decoration.ReplaceAllString(line, "")
	}
	var entry struct{ Msg, Error string } // etcd's
	if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg != "" {
		line = strings.TrimSuffix(entry.Msg+": "+entry.Error, ": ")
	}
	if m := failed.FindStringSubmatch(line); m != nil {
		if text, err := strconv.Unquote(m[1]); err == nil {
			line = text
		}
	}
	return words.OneLine(tagged.ReplaceAllString(line, ""))
}

var cgroupPath = regexp.MustCompile(`/sys/fs/cgroup/[A-Za-z0-9_,=.-]+/[A-Za-z0-9_./-]+`)

// makeCgroups makes the cgroups that a kubelet names as missing. On cgroup v1 a privileged container may mount
// hierarchies that were not in use before; the init of the next one mounts them too, after its entrypoint has made
// the kubelet's cgroup in those that it saw. A cgroup of cpusets needs its parent's processors to be of use.
func makeCgroups(line string) []string {
	return append([]string{"sh", "-euc", `for path; do
	mkdir -p "$path"
	for file in cpuset.cpus cpuset.mems; do [ ! -e "$path/$file" ] || cat "${path%/*}/$file" >"$path/$file"; done
done`, "sh"}, cgroupPath.FindAllString(line, -1)...)
}
