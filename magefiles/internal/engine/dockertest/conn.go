package dockertest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipe gives the two ends of a connection in memory, of which each can be closed for one direction.
func pipe() (*conn, *conn) {
	a, b := newHalf(), newHalf()
	return &conn{a, b}, &conn{b, a}
}

// conn is one end.
type conn struct{ from, to *half }

func (c *conn) Read(p []byte) (int, error)  { return c.from.read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.to.write(p) }

// CloseWrite tells the other end that nothing more comes.
func (c *conn) CloseWrite() error { c.to.end(io.EOF); return nil }

func (c *conn) Close() error {
	c.to.end(io.EOF)
	c.from.end(net.ErrClosed)
	return nil
}

func (*conn) LocalAddr() net.Addr  { return &net.UnixAddr{Name: "@", Net: "unix"} }
func (*conn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "@", Net: "unix"} }

func (c *conn) SetDeadline(t time.Time) error     { return c.SetReadDeadline(t) }
func (c *conn) SetReadDeadline(t time.Time) error { c.from.expire(t); return nil }
func (c *conn) SetWriteDeadline(time.Time) error  { return nil }

// half is one direction: what was written and not read yet.
type half struct {
	mu       sync.Mutex
	changed  *sync.Cond
	waiting  []byte
	err      error // once nothing more comes
	deadline time.Time
}

func newHalf() *half {
	h := &half{}
	h.changed = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case errors.Is(h.err, net.ErrClosed):
			return 0, h.err
		case !h.deadline.IsZero() && !time.Now().Before(h.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(h.waiting) > 0:
			n := copy(p, h.waiting)
			h.waiting = h.waiting[n:]
			return n, nil
		case h.err != nil:
			return 0, h.err
		}
		h.changed.Wait()
	}
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return 0, io.ErrClosedPipe
	}
	h.waiting = append(h.waiting, p...)
	h.changed.Broadcast()
	return len(p), nil
}

func (h *half) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil || errors.Is(err, net.ErrClosed) {
		h.err = err
	}
	h.changed.Broadcast()
}

// expire has reads end at a time; the server ends a read that waits by one that is over.
func (h *half) expire(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deadline = t
	h.changed.Broadcast()
}
