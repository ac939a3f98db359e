package run

// Confinement is what a process, and whatever it starts, can reach of this machine: files below the named paths, and
// TCP ports. Paths that are not there are left out. /dev/null is there in any case. Everything else is refused by the
// kernel.
type Confinement struct {
	Read  []string // to read and to execute
	Write []string // to read, write and make
	Ports []int    // to connect to, on whatever host; none are listened on
}
