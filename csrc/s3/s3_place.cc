#include "s3/s3_place.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "errors.h"

namespace smtf {
namespace {

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::vector<std::string> Labels(std::string_view host) {
  std::vector<std::string> labels;
  for (;;) {
    const size_t dot = host.find('.');
    labels.emplace_back(host.substr(0, dot));
    if (dot == std::string_view::npos) return labels;
    host.remove_prefix(dot + 1);
  }
}

// The index of "amazonaws" in amazonaws.com and amazonaws.com.cn; 0 for a host of somebody else.
size_t AmazonLabel(const std::vector<std::string>& labels) {
  const size_t count = labels.size();
  for (const size_t behind : {size_t{2}, size_t{3}}) {
    if (count > behind && labels[count - behind] == "amazonaws" &&
        labels[count - behind + 1] == "com" && (behind == 2 || labels[count - 1] == "cn")) {
      return count - behind;
    }
  }
  return 0;
}

bool IsAmazon(std::string_view host) { return AmazonLabel(Labels(host)) > 0; }

// s3.OLD.amazonaws.com and s3.dualstack.OLD.amazonaws.com with another region. s3.amazonaws.com
// and s3-OLD.amazonaws.com, the older spellings, become s3.NEW.amazonaws.com. Endpoints of a VPC
// stay as they are.
std::string HostInRegion(const std::string& host, const std::string& region) {
  std::vector<std::string> labels = Labels(host);
  const size_t amazon = AmazonLabel(labels);
  if (amazon == 0) return host;
  std::string& last = labels[amazon - 1];
  if (last == "vpce" || last == "s3-accelerate" || last == "dualstack") return host;
  if (last == "s3" || last == "s3-fips") {
    last += "." + region;
  } else if (StartsWith(last, "s3-")) {
    last = "s3." + region;
  } else {
    last = region;
  }
  std::string joined;
  for (const std::string& label : labels) joined += (joined.empty() ? "" : ".") + label;
  return joined;
}

// Goes into the signature and perhaps into a host's name.
bool IsRegion(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// A Location is a URL; an <Endpoint> is a host, and its scheme stays empty.
struct Target {
  std::string scheme;
  std::string host;
  std::string path;
};

Target ParseTarget(std::string_view location) {
  Target target;
  const size_t colon = location.find("://");
  if (colon != std::string_view::npos) {
    target.scheme = location.substr(0, colon);
    location.remove_prefix(colon + 3);
  } else if (StartsWith(location, "/")) {
    return target;  // at the same host
  }
  location = location.substr(0, location.find_first_of("?#"));
  const size_t slash = location.find('/');
  target.host = location.substr(0, slash);
  if (slash != std::string_view::npos) target.path = location.substr(slash);
  return target;
}

// How the bucket is addressed at `target`; nothing when that is no address of it.
std::optional<S3Address> AddressAt(const Target& target, const S3Address& from) {
  const std::string& bucket = from.bucket();
  const std::string scheme = target.scheme.empty() ? from.scheme() : target.scheme;
  const bool has_bucket_in_host = StartsWith(target.host, bucket + ".");
  const bool has_bucket_in_path =
      target.path == "/" + bucket || StartsWith(target.path, "/" + bucket + "/");
  try {
    if (has_bucket_in_host && !has_bucket_in_path) {
      return S3Address(scheme + "://" + target.host.substr(bucket.size() + 1), bucket, true);
    }
    if (has_bucket_in_path || target.path.empty()) {
      return S3Address(scheme + "://" + target.host, bucket, false);
    }
  } catch (const Error&) {
    // It is not even a host.
  }
  return std::nullopt;
}

}  // namespace

std::optional<S3Place> PlaceAfter(const S3Place& place, const S3Error& redirect,
                                  std::string* why_not) {
  S3Place next = place;
  const bool at_amazon = IsAmazon(place.address.endpoint_host());
  const bool new_region = IsRegion(redirect.region) && redirect.region != place.region;
  if (new_region) {
    next.region = redirect.region;
    next.address = S3Address(place.address.scheme() + "://" +
                                 HostInRegion(place.address.endpoint_host(), redirect.region),
                             place.address.bucket(), place.address.virtual_host());
  }
  const Target target = ParseTarget(redirect.location);
  // At AWS a new region says it all.
  if (!target.host.empty() && target.host != place.address.host() && !(at_amazon && new_region)) {
    const std::string where = target.scheme.empty() ? target.host : redirect.location;
    if (!target.scheme.empty() && target.scheme != place.address.scheme()) {
      *why_not = "it was sent to " + where + ", of another scheme, which is not followed";
      return std::nullopt;
    }
    if (at_amazon && !IsAmazon(target.host)) {
      *why_not = "it was sent to " + where + ", away from AWS, which is not followed";
      return std::nullopt;
    }
    const auto address = AddressAt(target, place.address);
    if (!address) {
      *why_not = "it was sent to " + where + ", which is no address of the bucket";
      return std::nullopt;
    }
    next.address = *address;
  }
  if (next.region == place.region && next.address.origin() == place.address.origin()) {
    *why_not = "it was not said where the bucket is instead";
    return std::nullopt;
  }
  return next;
}

}  // namespace smtf
