package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"todo.local/magefiles/internal/fault"
)

// Listen takes a port of 127.0.0.1 that a person named by -port. Port 0 is any that is free.
func Listen(ctx context.Context, port int) (net.Listener, error) {
	if port < 0 || port > 65535 {
		return nil, fault.New(fault.CodeInput, fmt.Sprintf("%d is no port", port), "use 1 to 65535")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return l, fault.Wrap(err, fault.CodeEnvironment, fmt.Sprintf("port %d cannot be had", port), "name another: -port=N")
}

// Serve answers over HTTP until ctx ends, which ends what is being answered too.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
