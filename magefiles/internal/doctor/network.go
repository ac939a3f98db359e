package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/words"
)

// dockerHub is the API of the registry that the base images and the cluster's node image come from.
const dockerHub = "https://registry-1.docker.io/v2/"

const networkRemedy = "look at this machine's network, proxy variables and CA certificates below"

func (c *checker) checkContainerRegistry(ctx context.Context) Result {
	if c.cfg.Images == config.ImagesSource {
		return Result{Detail: "not needed: TODO_IMAGES=source"}
	}
	var err error
	for _, mirror := range c.info.Mirrors() {
		if err = registryAnswers(ctx, strings.TrimSuffix(mirror, "/")+"/v2/"); err == nil {
			return Result{Detail: "the engine's mirror " + mirror + " answers"}
		}
	}
	if err = registryAnswers(ctx, c.registry); err == nil {
		return Result{Detail: strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(c.registry, "https://"), "http://"), "/v2/") + " answers"}
	}
	if c.cfg.Images == config.ImagesAuto {
		return Result{Detail: "none within reach, so that everything is built from package registries (" + because(err) + ")"}
	}
	return Result{Level: Failure, Detail: words.OneLine(err.Error()), Remedy: networkRemedy + ", or set TODO_IMAGES=source to do without"}
}

// registryAnswers asks for a registry's API.
func registryAnswers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK, http.StatusUnauthorized, http.StatusTooManyRequests: // it may want a token, or some patience
		return nil
	}
	return fmt.Errorf("%s answers %s", req.URL.Host, res.Status)
}

// because gives the last part of a chain of network errors: the parts before it say what was asked for.
func because(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", checkTimeout)
	}
	parts := strings.Split(words.OneLine(err.Error()), ": ")
	return parts[len(parts)-1]
}

func (c *checker) checkGoModules(ctx context.Context) Result {
	// Outside any module, so that the answer comes from the proxy and not from a go.mod.
	return c.ask(ctx, "the module proxy answers", run.Cmd{Name: "go", Args: []string{"list", "-m", "-versions", "github.com/magefile/mage"},
		Dir: os.TempDir(), Env: []string{"GOWORK=off", "GOFLAGS=-mod=mod"}})
}

// checkDebianPackages fetches the index of the first source that apt is configured with, by apt's own means.
func (c *checker) checkDebianPackages(ctx context.Context) Result {
	const noApt = "no apt here: they are fetched inside the builds"
	out, err := run.Output(ctx, c.runner, "apt-get", "indextargets", "--format", "$(REPO_URI)dists/$(RELEASE)/InRelease", "Identifier: Packages")
	index, _, _ := strings.Cut(out, "\n")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return Result{Detail: noApt}
	case err == nil && index == "":
		return Result{Level: Warning, Detail: "apt has no package lists", Remedy: "run `apt-get update` as root"}
	case err != nil:
		return noAnswer("apt-get", err)
	}
	dir, err := os.MkdirTemp("", "doctor-")
	if err != nil {
		return Result{Level: Warning, Detail: words.OneLine(err.Error())}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return c.ask(ctx, "apt's first source answers", run.Cmd{Name: "/usr/lib/apt/apt-helper",
		Args: []string{"-o", "Acquire::Retries=0", "download-file", index, dir + "/InRelease"}})
}

func (c *checker) checkNpm(ctx context.Context) Result {
	return c.ask(ctx, "npm's registry answers", run.Cmd{Name: "npm", Args: []string{"view", "npm", "version", "--fetch-retries=0"}, Dir: os.TempDir()})
}

func (c *checker) checkPip(ctx context.Context) Result {
	return c.ask(ctx, "pip's index answers", run.Cmd{Name: "pip", Args: []string{"index", "versions", "pip", "--retries", "0"}, Dir: os.TempDir()})
}

// ask runs the client of a package registry: only the client knows the mirrors, proxies and credentials that the user
// has set up for it.
func (c *checker) ask(ctx context.Context, answer string, cmd run.Cmd) Result {
	_, err := c.runner.Run(ctx, cmd)
	switch {
	case err == nil:
		return Result{Detail: answer}
	case errors.Is(err, exec.ErrNotFound):
		return Result{Detail: "no " + cmd.Name + " here: they are fetched inside the builds"}
	}
	return noAnswer(cmd.Name, err)
}

func noAnswer(client string, err error) Result {
	r := Result{Level: Warning, Detail: words.OneLine(err.Error()), Remedy: networkRemedy}
	if errors.Is(err, context.DeadlineExceeded) {
		r.Detail = fmt.Sprintf("%s had no answer within %s: a slow network, or a busy machine", client, checkTimeout)
	}
	return r
}

// checkProxy looks at the variables that the project's own requests and the builds obey.
func (c *checker) checkProxy(context.Context) Result {
	var set []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		value := either(name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" {
			return Result{Level: Warning, Detail: name + " is no URL", Remedy: "set it to http://host:port"}
		}
		set = append(set, name+"="+u.Scheme+"://"+u.Host) // without credentials
	}
	if len(set) == 0 {
		return Result{Detail: "none set"}
	}
	var missing []string
	for _, name := range []string{"localhost", "127.0.0.1", config.LocalHost, c.cfg.Host} {
		if !bypassed(either("NO_PROXY"), name) {
			missing = append(missing, name)
		}
	}
	r := Result{Detail: strings.Join(set, ", ")}
	var remedies []string
	if len(missing) > 0 {
		r.Detail += "; NO_PROXY lacks " + strings.Join(missing, ", ")
		remedies = append(remedies, "export NO_PROXY="+strings.Join(append(missing, "$NO_PROXY"), ","))
	}
	if c.docker != nil && c.cfg.Images != config.ImagesSource && c.info.HTTPProxy == "" && c.info.HTTPSProxy == "" {
		r.Detail += "; the Docker engine, which pulls images, has none"
		remedies = append(remedies, "give the engine its own: https://docs.docker.com/engine/daemon/proxy/")
	}
	if len(remedies) > 0 {
		r.Level, r.Remedy = Warning, strings.Join(remedies, "\n")
	}
	return r
}

// either gives a variable by its name in upper or lower case.
func either(name string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return os.Getenv(strings.ToLower(name))
}

// bypassed tells whether a NO_PROXY list covers a host.
func bypassed(list, host string) bool {
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		entry = strings.TrimPrefix(entry, "*") // "*" alone covers everything, "*.example.com" is ".example.com"
		if entry == "" || entry == host || strings.HasSuffix("."+host, "."+strings.TrimPrefix(entry, ".")) {
			return true
		}
		network, err := netip.ParsePrefix(entry)
		if address, badAddress := netip.ParseAddr(host); err == nil && badAddress == nil && network.Contains(address) {
			return true
		}
	}
	return false
}

func (c *checker) checkCABundle(context.Context) Result {
	path, ok := engine.CABundle(c.cfg)
	if path == "" {
		return Result{Level: Warning, Detail: "no bundle found", Remedy: "install ca-certificates, or set TODO_CA_BUNDLE"}
	}
	const remedy = "set TODO_CA_BUNDLE to a PEM file of certificates"
	if !ok {
		return Result{Level: Failure, Detail: path + " does not exist", Remedy: remedy}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return Result{Level: Failure, Detail: words.OneLine(err.Error()), Remedy: remedy}
	}
	good, bad := 0, 0
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			bad++
		} else {
			good++
		}
	}
	switch {
	case good == 0:
		return Result{Level: Failure, Detail: path + " holds no certificate", Remedy: remedy}
	case bad > 0:
		return Result{Level: Warning, Detail: fmt.Sprintf("%d of %d blocks in %s are no valid certificates", bad, good+bad, path), Remedy: "remove them: some programs refuse the whole file"}
	}
	return Result{Detail: fmt.Sprintf("%d certificates in %s", good, path)}
}
