pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// Back, help, language, contrast: the same four places on every screen.
Rectangle {
    id: root

    required property FrameViewModel frame
    readonly property real place: width / 4 - Theme.gap

    color: Theme.surface
    height: Math.max(Theme.mm * 30, Theme.body * 1.2 + Theme.lead * 1.3 + Theme.mm * 9)

    Rectangle {
        color: Theme.hairline
        height: Theme.hair
        width: parent.width
    }

    FootKey {
        label: root.frame.back
        objectName: "backButton"
        path: Glyphs.back
        width: root.place
        x: Theme.gap * 0.5

        onTapped: root.frame.goBack()
    }

    FootKey {
        label: root.frame.help
        objectName: "helpButton"
        path: Glyphs.bell
        width: root.place
        x: root.width / 4 + Theme.gap * 0.5

        onTapped: root.frame.callHelp()
    }

    FootKey {
        label: root.frame.language
        objectName: "languageButton"
        path: Glyphs.language
        width: root.place
        x: root.width / 2 + Theme.gap * 0.5

        onTapped: root.frame.switchLanguage()
    }

    FootKey {
        label: root.frame.contrast
        objectName: "contrastButton"
        path: Glyphs.contrast
        width: root.place
        x: root.width * 3 / 4 + Theme.gap * 0.5

        onTapped: root.frame.switchContrast()
    }
}
