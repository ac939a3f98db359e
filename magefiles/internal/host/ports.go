package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"todo.local/magefiles/internal/fault"
)

// rootPorts are those below which a system lets only root listen, unless it was told otherwise.
const rootPorts = 1024

// LowestPort is the lowest port that an engine may publish on this machine, as far as can be told.
func (h Host) LowestPort(rootless bool) int {
	if !rootless {
		return 1
	}
	n, err := strconv.Atoi(h.Read("proc/sys/net/ipv4/ip_unprivileged_port_start"))
	if err != nil {
		return rootPorts
	}
	return n
}

// PickPort gives the wanted port of 127.0.0.1 where it is free, else the fallback. A wanted port below the lowest that
// the engine may publish is passed over. holder names who has the wanted one, where that is taken and known. It fails
// where both are taken.
func PickPort(ctx context.Context, wanted, fallback, lowest int) (port int, holder string, err error) {
	if wanted < lowest {
		wanted = fallback
	}
	if !PortTaken(ctx, wanted) {
		return wanted, "", nil
	}
	holder = Local.PortHolder(wanted)
	if wanted != fallback && !PortTaken(ctx, fallback) {
		return fallback, holder, nil
	}
	what := fmt.Sprintf("port %d is taken by %s", wanted, orUnknown(holder))
	if wanted != fallback {
		what += fmt.Sprintf(", port %d by %s", fallback, orUnknown(Local.PortHolder(fallback)))
	}
	return 0, holder, fault.New(fault.CodeEnvironment, what, "end it, or choose other ports with TODO_HTTP_PORT and TODO_HTTPS_PORT")
}

func orUnknown(holder string) string {
	if holder == "" {
		return "another process"
	}
	return holder
}

// PortTaken tells whether something listens on a port of 127.0.0.1. Binding it tells for certain, but may not be
// allowed; connecting finds listeners on all addresses where the system would let 127.0.0.1 be bound beside them.
func PortTaken(ctx context.Context, port int) bool {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		_ = l.Close()
	} else if errors.Is(err, syscall.EADDRINUSE) {
		return true
	}
	c, err := (&net.Dialer{Timeout: 500 * time.Millisecond}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// PortHolder names the process that listens on a port, such as "nginx (pid 812)". It is empty where that cannot be
// seen: no Linux, or a process of another user.
func (h Host) PortHolder(port int) string {
	sockets := map[string]bool{}
	for _, table := range []string{"proc/net/tcp", "proc/net/tcp6"} {
		for _, inode := range listeners(h.Read(table), port) {
			sockets["socket:["+inode+"]"] = true
		}
	}
	if len(sockets) == 0 {
		return ""
	}
	links, _ := filepath.Glob(h.Path("proc/[0-9]*/fd/*")) // fails on a bad pattern only
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && sockets[target] {
			dir := filepath.Dir(filepath.Dir(link))
			pid, _ := strconv.Atoi(filepath.Base(dir))
			return fmt.Sprintf("%s (pid %d)", h.Command(pid), pid)
		}
	}
	return ""
}

// listeners gives the inodes of the sockets in a table like /proc/net/tcp that take connections to 127.0.0.1 on a port.
func listeners(table string, port int) []string {
	const listening = "0A"
	var inodes []string
	s := bufio.NewScanner(strings.NewReader(table))
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) < 10 || f[3] != listening {
			continue
		}
		address, hexPort, _ := strings.Cut(f[1], ":")
		n, err := strconv.ParseUint(hexPort, 16, 16)
		if err != nil || int(n) != port {
			continue
		}
		// Addresses are in host byte order. Both loopback and "any" count, the latter being all zeros in either family.
		if strings.Trim(address, "0") == "" || address == "0100007F" || address == "0000000000000000FFFF00000100007F" {
			inodes = append(inodes, f[9])
		}
	}
	return inodes
}
