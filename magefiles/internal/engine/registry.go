package engine

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"

	"todo.local/magefiles/internal/run"
)

// Pull has the engine fetch an image. line gets what it says of that.
func (d *Docker) Pull(ctx context.Context, ref string, line func(string)) error {
	answer, err := d.API.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: credentials(ref)})
	if err == nil {
		defer func() { _ = answer.Close() }()
		err = messages(answer, func(m jsonstream.Message) { d.tell(m, line) })
	}
	return d.refusal(ctx, "pull "+ref, err)
}

// Pushed is what came of a push.
type Pushed struct {
	Digest digest.Digest // of what the registry has now; empty where the engine did not tell
	Layers int           // that the registry did not have
}

// Push has the engine send an image to the registry that its name begins with. line gets what it says of that.
func (d *Docker) Push(ctx context.Context, ref string, line func(string)) (p Pushed, err error) {
	answer, err := d.API.ImagePush(ctx, ref, client.ImagePushOptions{RegistryAuth: credentials(ref)})
	if err == nil {
		defer func() { _ = answer.Close() }()
		err = messages(answer, func(m jsonstream.Message) {
			if m.Status == "Pushed" {
				p.Layers++
			}
			var result struct{ Digest digest.Digest }
			if m.Aux != nil && json.Unmarshal(*m.Aux, &result) == nil && result.Digest != "" {
				p.Digest = result.Digest
			}
			d.tell(m, line)
		})
	}
	return p, d.refusal(ctx, "push "+ref, err)
}

// tell gives what a message says in one line. How far a layer has come is no line of its own.
func (d *Docker) tell(m jsonstream.Message, line func(string)) {
	text := m.Status
	if text == "" || m.Progress != nil && m.Progress.Total > 0 {
		return
	}
	if m.ID != "" {
		text = m.ID + ": " + text
	}
	line(run.Redact(d.Runner, text))
}

// credentials are those of docker login for an image's registry, as the engine's interface takes them. Where there are
// none, or where they cannot be read, that is what they say: engines before 23 refuse a push without a word about it,
// and the registry says what it lacks.
func credentials(ref string) string {
	encoded, err := authconfig.Encode(login(ref))
	if err != nil {
		return ""
	}
	return encoded
}

func login(ref string) registry.AuthConfig {
	named, err := name.ParseReference(ref)
	if err != nil {
		return registry.AuthConfig{}
	}
	found, err := authn.DefaultKeychain.Resolve(named.Context())
	if err != nil {
		slog.Debug("no credentials for "+named.Context().RegistryStr(), "error", err)
		return registry.AuthConfig{}
	}
	c, err := found.Authorization()
	if err != nil {
		return registry.AuthConfig{}
	}
	return registry.AuthConfig{
		Username: c.Username, Password: c.Password, Auth: c.Auth, IdentityToken: c.IdentityToken, RegistryToken: c.RegistryToken,
	}
}
