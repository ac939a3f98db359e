package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// Process is a command to run in a container.
type Process struct {
	Namespace, Pod, Container string
	Command                   []string
	Stdin                     io.Reader // none where nil
	Stdout, Stderr            io.Writer // with a terminal, everything goes to Stdout
	Terminal                  remotecommand.TerminalSizeQueue
}

// Exec runs a command in a container and waits for its end. A command that fails gives an error that implements
// utilexec.ExitError.
func (a API) Exec(ctx context.Context, p Process) error {
	cfg, address, err := a.podURL(p.Namespace, p.Pod, "exec", &corev1.PodExecOptions{
		Container: p.Container, Command: p.Command, Stdin: p.Stdin != nil, Stdout: true, Stderr: p.Terminal == nil, TTY: p.Terminal != nil,
	})
	if err != nil {
		return err
	}
	// WebSockets first, as kubectl does; SPDY for what does not let them pass.
	socket, err := remotecommand.NewWebSocketExecutor(cfg, http.MethodGet, address.String())
	if err != nil {
		return err
	}
	old, err := remotecommand.NewSPDYExecutor(cfg, http.MethodPost, address)
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewFallbackExecutor(socket, old, refused)
	if err != nil {
		return err
	}
	options := remotecommand.StreamOptions{Stdin: p.Stdin, Stdout: p.Stdout, Tty: p.Terminal != nil, TerminalSizeQueue: p.Terminal}
	if p.Terminal == nil {
		options.Stderr = p.Stderr
	}
	// The library logs that a connection was closed under it, which is how one ends that is wanted no more.
	return executor.StreamWithContext(logr.NewContext(ctx, logr.Discard()), options)
}

// Forward leads a port of 127.0.0.1 to one of a pod until ctx ends. Once it does, ready is called with the first. A
// local port of 0 is any free one.
func (a API) Forward(ctx context.Context, namespace, pod string, local, remote int, ready func(local int)) error {
	cfg, address, err := a.podURL(namespace, pod, "portforward", nil)
	if err != nil {
		return err
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(address, cfg)
	if err != nil {
		return err
	}
	roundTripper, upgrader, err := spdy.RoundTripperFor(cfg)
	if err != nil {
		return err
	}
	old := spdy.NewDialer(upgrader, &http.Client{Transport: roundTripper}, http.MethodPost, address)
	open := make(chan struct{})
	forwarder, err := portforward.NewOnAddresses(portforward.NewFallbackDialer(tunnel, old, refused), []string{"127.0.0.1"}, []string{fmt.Sprintf("%d:%d", local, remote)},
		ctx.Done(), open, nil, io.Discard)
	if err != nil {
		return err
	}
	go func() {
		select {
		case <-open:
			if ports, err := forwarder.GetPorts(); err == nil && len(ports) == 1 {
				ready(int(ports[0].Local))
			}
		case <-ctx.Done():
		}
	}()
	err = forwarder.ForwardPorts()
	if ctx.Err() != nil && (err == nil || errors.Is(err, portforward.ErrLostConnectionToPod)) {
		return nil
	}
	return err
}

// refused tells that a way to the pod does not take WebSockets.
func refused(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

// podURL is the address of something that is done with a pod.
func (a API) podURL(namespace, pod, what string, options *corev1.PodExecOptions) (*rest.Config, *url.URL, error) {
	cfg, err := a.RESTConfig()
	if err != nil {
		return nil, nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, nil, err
	}
	req := client.CoreV1().RESTClient().Get().Namespace(namespace).Resource("pods").Name(pod).SubResource(what)
	if options != nil {
		req = req.VersionedParams(options, scheme.ParameterCodec)
	}
	return cfg, req.URL(), nil
}
