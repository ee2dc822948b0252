#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace slipway::apps::hub_server {

/// Asks the hub of a data folder what hub/server/administration.hpp describes. A server that has the folder is asked
/// over HTTP, with the token of the folder's client.ini; otherwise the folder is opened here, under its lock. So no two
/// processes ever have the database open.
/// @error kNotFound: the folder holds no hub; kUnavailable: the server there does not answer, or is of another version;
/// kUnauthenticated: client.ini's token is not valid; as the hub says
[[nodiscard]] base::Result<nlohmann::ordered_json> ask_hub(const std::filesystem::path& data, const std::string& method,
                                                           const std::string& path,
                                                           const nlohmann::ordered_json& body = nullptr);

}  // namespace slipway::apps::hub_server
