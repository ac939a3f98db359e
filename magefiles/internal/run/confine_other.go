//go:build !linux

package run

import (
	"errors"
	"os/exec"
)

// Confines tells whether this machine's kernel can confine a process.
func Confines() bool { return false }

func (c *Confinement) start(*exec.Cmd) error {
	return errors.New("this system cannot confine a process (Landlock, of Linux)")
}
