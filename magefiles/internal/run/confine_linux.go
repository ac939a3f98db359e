package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// oldest is the first version of Landlock's interface that knows of ports, which Linux has since 6.7.
const oldest = 4

const (
	readFile = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
	readDir  = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	changes  = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	makes    = unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO
	everything = readDir | changes | makes | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_REFER
	network    = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
)

// Confines tells whether this machine's kernel can confine a process.
func Confines() bool {
	version, _, no := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	return no == 0 && version >= oldest
}

// start starts a command inside the confinement.
func (c *Confinement) start(cmd *exec.Cmd) error {
	if !Confines() {
		return errors.New("this kernel cannot confine a process (Landlock, since Linux 6.7)")
	}
	started := make(chan error, 1)
	go func() {
		// A child inherits the confinement of the thread that starts it. The thread is never given back, and ends with
		// this goroutine.
		runtime.LockOSThread()
		err := c.enter()
		if err == nil {
			err = cmd.Start()
		}
		started <- err
	}()
	return <-started
}

// enter confines the present thread for good.
func (c *Confinement) enter() error {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: everything, Handled_access_net: network}
	// The fields after the second are of later versions.
	set, _, no := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Offsetof(attr.Scoped), 0)
	if no != 0 {
		return fmt.Errorf("landlock_create_ruleset: %w", no)
	}
	defer func() { _ = unix.Close(int(set)) }()
	for _, p := range c.Read {
		if err := beneath(int(set), p, readDir); err != nil {
			return err
		}
	}
	for _, p := range append([]string{os.DevNull}, c.Write...) {
		if err := beneath(int(set), p, readDir|changes|makes); err != nil {
			return err
		}
	}
	for _, p := range c.Ports {
		rule := struct{ access, port uint64 }{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(p)}
		if err := add(int(set), landlockRuleNetPort, unsafe.Pointer(&rule)); err != nil {
			return fmt.Errorf("port %d: %w", p, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if _, _, no := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); no != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", no)
	}
	return nil
}

// landlockRuleNetPort is LANDLOCK_RULE_NET_PORT.
const landlockRuleNetPort = 2

// beneath allows what may be done to a file, or to all in a folder.
func beneath(set int, path string, access uint64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		access &= readFile | changes
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	if err := add(set, unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule)); err != nil {
		return &fs.PathError{Op: "allow", Path: path, Err: err}
	}
	return nil
}

func add(set int, kind uintptr, rule unsafe.Pointer) error {
	if _, _, no := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), kind, uintptr(rule), 0, 0, 0); no != 0 {
		return fmt.Errorf("landlock_add_rule: %w", no)
	}
	return nil
}
